"""Measures queues: lists them, and reads their depths and the ages of their messages."""
