"""Event messages and task signatures as they arrive, decoded to typed values."""
