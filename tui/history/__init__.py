"""Reads the history for charts and task types, in the background."""
