"""Encodes documents in each format; no other code depends on a format."""
