"""The targets of commands: tasks, workers and the consumers of a queue."""
