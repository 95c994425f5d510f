"""Receives the cluster's event stream."""
