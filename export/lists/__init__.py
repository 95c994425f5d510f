"""Lists as documents: their records and their rows, as on the screens."""
