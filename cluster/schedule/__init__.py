"""Reads beat's schedule: from the app, its databases, RedBeat, workers and beat's own file."""
