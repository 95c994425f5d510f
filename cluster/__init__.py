"""All I/O with a cluster: its broker, workers and result backend, in threads."""
