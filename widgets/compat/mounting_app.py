"""Mounting and removing screens, at any time and without laying out others.

It overrides private methods of `App`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

from textual.app import App
from textual.await_remove import AwaitRemove
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.widget import AwaitMount, MountError, Widget
from textual.worker import WorkerFailed

from .replaced import replaced


class MountingApp(App[None], inherit_bindings=False):
    """An app in which a screen may be closed at any time, also while it is opening.

    Textual mounts nothing in a widget that is being removed, and in none after `exit`, but calls
    their `on_mount`, which would look up the missing widgets in vain. It also lays out a screen
    again once it is mounted, and the one on top when another is removed.
    """

    async def _process_messages(self, *args: Any, **options: Any) -> None:
        with replaced(AwaitMount, "__await__", _await_mount):
            await super()._process_messages(*args, **options)

    def _prune(self, *nodes: Widget, parent: Any = None) -> AwaitRemove:
        removed = [each for node in nodes for each in node.walk_children(with_self=True)]
        if isinstance(parent, App):
            removal = super()._prune(*nodes)
            removal._post_remove = self._update_what_the_mouse_is_over
        else:
            removal = super()._prune(*nodes, parent=parent)
        for widget in removed:  # one that is just being mounted is removed after that
            widget._pruning = widget._mounted_event.is_set() or not self._running
        return removal

    def _update_what_the_mouse_is_over(self) -> None:
        if self._running and self._screen_stack:
            self._update_mouse_over(self.screen)

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) else error
        if not (self._exit and isinstance(cause, NoMatches | MountError)):
            super()._handle_exception(error)


def _await_mount(mount: AwaitMount) -> Generator[Any, None, None]:
    """Wait until widgets are mounted, in place of `AwaitMount.__await__`.

    That of a screen is waited for by the app, some time after the screen was laid out.
    """

    async def mounted() -> None:
        for widget in mount._widgets:
            await widget._mounted_event.wait()
        if mount._widgets:
            parent = mount._parent
            if parent not in mount._widgets:
                parent.refresh(layout=True)
            with suppress(NoScreen):
                parent.app._update_mouse_over(parent.screen)

    return mounted().__await__()
