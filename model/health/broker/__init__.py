"""Findings on the broker: the connection, the events from it, and failed questions."""
