"""Texts and the values read from them. Imports nothing else from celtop."""
