"""A table that repaints only changed lines."""
