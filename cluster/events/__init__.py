"""Receives the event stream of the cluster."""
