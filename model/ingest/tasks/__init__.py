"""Tasks: what events, replies and messages say about them, and what follows."""
