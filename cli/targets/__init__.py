"""What a command addresses: tasks, workers and the consumers of a queue."""
