"""Charts of the last hour and, for older times, of the history."""
