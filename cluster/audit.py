"""The audit file: JSON lines of everything that celtop was ever told to do here."""
