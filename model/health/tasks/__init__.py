"""Findings on tasks, task types and the schedule."""
