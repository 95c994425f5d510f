"""Checks an operation before it is sent, and describes its effects."""
