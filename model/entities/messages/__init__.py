"""Messages that are delayed until their ETA, or not acknowledged yet."""
