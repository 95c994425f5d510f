"""A dialog that stays while something is looked up; escape leaves it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from ...model.text.sanitize import visible
from .base import Dialog

if TYPE_CHECKING:
    from ..operations.runner import ActingApp

T = TypeVar("T")


class WaitingDialog(Dialog[bool]):
    """Returns True once what it waits for is there, None if the user left."""

    def __init__(self, title: str, awaited: Awaitable[Any]) -> None:
        super().__init__(title)
        self._awaited = awaited

    def compose_box(self) -> ComposeResult:
        """Say how to leave."""
        yield Static(Content.styled("esc leaves it", "$text-muted"), markup=False)

    def on_mount(self) -> None:
        """Begin to wait."""
        self.run_worker(self._wait())

    async def _wait(self) -> None:
        # Waited for, and not awaited: to leave must not cancel what others may wait for, too.
        await asyncio.wait({asyncio.ensure_future(self._awaited)})
        self.dismiss(True)


async def wait_for(app: ActingApp, title: str, found: Future[T]) -> T | None:
    """Wait for what another thread looks up, with a dialog that escape leaves.

    Returns:
        What was found; None if the user left, or if it went wrong, which is told.
    """
    awaited = asyncio.wrap_future(found)
    if not await app.push_screen_wait(WaitingDialog(title, awaited)):
        return None
    error = awaited.exception()
    if error is not None:
        app.say(f"{title}: {visible(str(error) or type(error).__name__, 200)}", "error")
        return None
    return awaited.result()
