"""What the history costs to write and to read, and old results to load."""
