"""Columns and cells of each table."""
