"""Commands for celtop itself: its settings, completion in shells, the demo."""
