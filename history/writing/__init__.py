"""Writing a history: from the changes of the model to the batches that a thread writes."""
