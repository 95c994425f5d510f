"""Recordings of a session: everything that was observed, in a file that can be replayed."""
