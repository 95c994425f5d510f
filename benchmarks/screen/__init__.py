"""What the screen costs: at the start, per event and frame, when idle."""
