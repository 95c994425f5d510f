"""Tasks: merges events, replies and messages, and finds lost, redelivered and evicted tasks."""
