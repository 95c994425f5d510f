"""Measures queues: which there are, their depths, and the age of their messages."""
