"""The history in PostgreSQL, for a team."""
