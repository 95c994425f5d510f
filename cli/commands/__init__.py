"""One module per command, imported only when the command is called; a folder for each section."""
