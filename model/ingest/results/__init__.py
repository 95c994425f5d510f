"""Results: what the result backend has about tasks."""
