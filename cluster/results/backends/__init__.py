"""One reader for each kind of result backend."""
