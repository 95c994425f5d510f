"""An input thread of Textual that wakes up only for input.

It replaces the selector and the event of Textual's Linux driver. Tested with Textual 8.2.8.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from types import SimpleNamespace

from .replaced import replaced

_INPUT_WAITS = 3
"""How often the input thread waits for a moment after a key, before it waits for the next key."""


class _EndOfInput(threading.Event):
    """Set to end an input thread, which wakes up for it immediately."""

    def __init__(self) -> None:
        super().__init__()
        self.receiver, self._sender = socket.socketpair()
        self.receiver.setblocking(False)

    def set(self) -> None:
        super().set()
        with suppress(OSError):  # closed
            self._sender.send(b"\0")

    def clear(self) -> None:
        super().clear()
        with suppress(BlockingIOError):
            self.receiver.recv(1024)

    def close(self) -> None:
        """Close its sockets; a thread that still waits for it ends."""
        self.set()
        self.receiver.close()
        self._sender.close()


class _InputSelector(selectors.SelectSelector):
    """Waits for keys, or for the end of the thread, without waking up ten times a second.

    Textual's input thread waits for a tenth of a second each time, to distinguish the escape key
    from the beginning of a sequence. That matters only just after it has received something.
    """

    def __init__(self, end: socket.socket) -> None:
        super().__init__()
        self._end = self.register(end, selectors.EVENT_READ)
        self._waits = 0
        """How often nothing was received since the last key."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if len(self.get_map()) == 1:
            return []  # input is no longer read
        ready = super().select(timeout if self._waits < _INPUT_WAITS else None)
        self._waits = 0 if ready else self._waits + 1
        return [one for one in ready if one[0] != self._end]


@contextmanager
def quiet_input_thread() -> Iterator[None]:
    """Let an input thread of Textual's that runs within the block wake up only for input."""
    try:
        from textual.drivers import linux_driver
    except ImportError:  # on Windows
        yield
        return
    end = _EndOfInput()
    own = SimpleNamespace(
        SelectSelector=partial(_InputSelector, end.receiver), EVENT_READ=selectors.EVENT_READ
    )
    with (
        closing(end),
        replaced(linux_driver, "selectors", own),
        replaced(linux_driver, "Event", lambda: end),
    ):
        yield
