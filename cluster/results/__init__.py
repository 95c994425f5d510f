"""Reads results, arguments and progress of tasks from the result backend.

Nothing here creates a Celery app, reads the environment, or unpickles.
"""
