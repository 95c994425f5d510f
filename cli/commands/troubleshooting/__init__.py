"""Commands for a connection that fails, and for bug reports."""
