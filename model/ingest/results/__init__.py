"""Results: merges entries of the result backend into tasks."""
