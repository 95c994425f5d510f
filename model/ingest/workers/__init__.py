"""Workers: their events and replies."""
