"""Phrases shared by screens."""
