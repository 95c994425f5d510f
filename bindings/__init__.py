"""Actions and their keys as data: one table feeds keys, footer, help, palette and README."""

from .action import Action
from .actions import ACTIONS
from .contexts import Context

__all__ = ["ACTIONS", "Action", "Context"]
