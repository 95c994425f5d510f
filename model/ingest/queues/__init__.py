"""Queues: their depths, messages and consumers."""
