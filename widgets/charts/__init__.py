"""Graphs, bars, sparklines and timelines."""
