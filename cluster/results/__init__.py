"""Reads what result backends keep of tasks: results, arguments and progress.

Nothing here makes a Celery app, reads the environment, or loads a pickle.
"""
