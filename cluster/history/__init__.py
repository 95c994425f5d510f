"""The history of a session's cluster: reading it, and writing it."""
