"""The panes of the Overview."""
