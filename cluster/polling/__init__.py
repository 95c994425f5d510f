"""Polls workers and queues at intervals."""
