"""A demo Celery cluster: a private broker, real workers, and tasks at a human pace."""
