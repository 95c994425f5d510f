"""Chains, groups and chords as trees of tasks."""
