"""Actions and their keys as data: one table feeds keys, footer, help, palette and README."""

from .actions import ACTIONS, Action, Context

__all__ = ["ACTIONS", "Action", "Context"]
