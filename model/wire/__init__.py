"""Decodes event messages and task signatures to typed values."""
