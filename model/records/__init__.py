"""Observations as lines of JSON, for recordings and the history."""
