"""The brokers, workers and events that put subjects under load."""
