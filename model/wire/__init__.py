"""Decodes event messages, task signatures and inspect replies to typed values."""
