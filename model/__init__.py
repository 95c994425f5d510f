"""The model of a cluster. Pure: no I/O, no clock, no Textual, no Celery."""
