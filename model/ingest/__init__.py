"""Merges observations into the entities: events, replies, results and operations."""
