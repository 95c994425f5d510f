"""The output of commands: data on stdout, messages and progress on stderr."""
