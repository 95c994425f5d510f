"""Findings on workers."""
