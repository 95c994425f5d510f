"""What the model holds: tasks, workers, queues and the values that they are made of."""
