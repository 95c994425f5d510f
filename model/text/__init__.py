"""Texts and the values read from them. Imports nothing of celtop."""
