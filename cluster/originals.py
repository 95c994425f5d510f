"""What callers sent, exactly, kept for the time when neither broker nor worker knows it any more.

No source keeps the arguments of a finished task unless the app turned `result_extended` on, so what
is seen while a task waits or runs is kept here. Written by any I/O thread, read by any.
"""

from __future__ import annotations

import threading
from typing import Final

from ..model.call import Original

ROOM: Final = 16 << 20
"""Bytes of arguments that are kept, about; the oldest go first."""


class Originals:
    """The originals by task id, within a bound of bytes."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._kept: dict[str, Original] = {}

    def keep(self, original: Original) -> None:
        """Keep an original, unless a better source told of the same already."""
        raise NotImplementedError

    def get(self, id_: str) -> Original | None:
        """Return what is known exactly of a task."""
        return self._kept.get(id_)
