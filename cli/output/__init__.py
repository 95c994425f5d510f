"""What commands print: data on stdout, messages and progress on stderr."""
