"""How each kind of act is carried out. Only `cluster/control.py` may call what is in here."""
