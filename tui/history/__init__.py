"""What charts and task types read from the history, in the background."""
