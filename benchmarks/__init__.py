"""Measurements of every budget of celtop beside other monitors; not part of the wheel."""
