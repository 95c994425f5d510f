"""Examines the connection to the broker step by step, when a session cannot be opened."""
