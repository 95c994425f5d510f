"""The history: finished tasks, rollups, findings and operations, in SQLite or PostgreSQL."""
