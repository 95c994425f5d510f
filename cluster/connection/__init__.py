"""Connections to the broker and their failures."""
