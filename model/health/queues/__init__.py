"""Findings on queues."""
