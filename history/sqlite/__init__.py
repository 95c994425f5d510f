"""The history of one person, in an SQLite file."""
