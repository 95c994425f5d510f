"""Looks up single tasks and the messages that were sent for them."""
