"""Actions and their keys as data: one table feeds keys, footer, help, palette and README."""

from .actions import ACTIONS, Action
from .contexts import Context

__all__ = ["ACTIONS", "Action", "Context"]
