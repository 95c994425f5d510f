"""Completion in shells, from the cluster and its history."""
