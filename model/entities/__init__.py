"""The things that the model holds: tasks, workers, queues, and the values they consist of."""
