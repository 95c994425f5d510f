"""Commands that show the cluster: its lists, one task, events as they arrive."""
