"""Carries out operations. Only `cluster.control` may import this package."""
