"""Reads task messages without consuming them."""
