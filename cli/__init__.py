"""The commands. Headless; Textual is imported inside the function that opens the TUI."""
