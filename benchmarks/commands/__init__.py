"""How long operations and commands take."""
