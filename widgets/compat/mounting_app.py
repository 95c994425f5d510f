"""Widgets that are removed, or whose app ends, while they are being mounted.

It overrides private methods of `App`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.await_remove import AwaitRemove
from textual.css.query import NoMatches
from textual.widget import MountError, Widget
from textual.worker import WorkerFailed


class MountingApp(App[None], inherit_bindings=False):
    """An app in which a screen may be closed at any time, also while it is opening.

    Textual mounts nothing in a widget that is being removed, and in none after `exit`, but calls
    their `on_mount`, which would look up the missing widgets in vain.
    """

    def _prune(self, *nodes: Widget, parent: Any = None) -> AwaitRemove:
        removed = [each for node in nodes for each in node.walk_children(with_self=True)]
        removal = super()._prune(*nodes, parent=parent)
        for widget in removed:  # one that is just being mounted is removed after that
            widget._pruning = widget._mounted_event.is_set() or not self._running
        return removal

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) else error
        if not (self._exit and isinstance(cause, NoMatches | MountError)):
            super()._handle_exception(error)
