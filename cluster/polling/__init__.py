"""Asks workers and queues at intervals."""
