"""Tasks: what is in events, replies and messages about them, and what follows."""
