"""A dialog that waits for a lookup; escape stops waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from ...model.text.sanitize import visible
from ..host import Host
from .base import Dialog

MAX_ERROR_CHARACTERS: Final = 200

T = TypeVar("T")


class WaitingDialog(Dialog[bool]):
    """Returns True once the result is there, None if the user stopped waiting."""

    def __init__(self, title: str, awaited: Awaitable[Any], close_key: str) -> None:
        super().__init__(title)
        self._awaited = awaited
        self._close_key = close_key

    def compose_box(self) -> ComposeResult:
        """Name the key that stops waiting."""
        hint = f"{self._close_key} to cancel" if self._close_key else ""
        yield Static(Content.styled(hint, "$text-muted"), markup=False)

    def on_mount(self) -> None:
        """Start waiting."""
        self._wait()

    @work
    async def _wait(self) -> None:
        # `wait` does not cancel the lookup when the dialog is closed; others may wait for it, too.
        await asyncio.wait({asyncio.ensure_future(self._awaited)})
        self.dismiss(True)


async def wait_for(host: Host, title: str, lookup: Future[T]) -> T | None:
    """Wait for another thread's lookup, with a dialog that escape closes.

    Returns:
        The result; None if the user stopped waiting, or if the lookup failed, with a notification.
    """
    awaited = asyncio.wrap_future(lookup)
    if not await host.ask(WaitingDialog(title, awaited, host.context.keymap.key("dialog.close"))):
        return None
    error = awaited.exception()
    if error is not None:
        text = visible(str(error) or type(error).__name__, MAX_ERROR_CHARACTERS)
        host.say(f"{title} failed: {text}", "error")
        return None
    return awaited.result()
