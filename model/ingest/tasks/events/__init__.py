"""Applies the events of tasks."""
