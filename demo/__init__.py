"""A Celery cluster to look at: a private broker, real workers, tasks at a human pace."""
