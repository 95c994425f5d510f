"""How we know a cluster: all I/O with the broker and the workers, in threads of its own."""
