"""What happened to the connection, the workers and the model itself, in lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

Level: TypeAlias = Literal["info", "warning", "error"]

MAX_LOG_ENTRIES: Final = 5000
"""How many lines are kept; older ones are dropped."""


class LogEntry(msgspec.Struct, frozen=True, gc=False):
    """One line of the log."""

    serial: int
    """Counts up from 1 and is never used twice."""
    at: float
    """Epoch seconds, by our clock."""
    level: Level
    source: str
    """`broker`, `worker`, `events`, `inspect`, `queue`, ..."""
    text: str
    """May hold text from the cluster: hostile, as everything from there."""

    act: int | None = None
    """The number of the act that it tells of; None if it tells of none."""

    @property
    def id(self) -> str:
        """The serial as text: what tables know a row by."""
        return str(self.serial)


class EventLog:
    """The newest entries, oldest first."""

    def __init__(self, size: int = MAX_LOG_ENTRIES) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=size)
        self.version = 0
        """How many entries there ever were: the serial of the newest."""

    def add(
        self, at: float, level: Level, source: str, text: str, act: int | None = None
    ) -> LogEntry:
        """Append an entry and return it."""
        self.version += 1
        entry = LogEntry(self.version, at, level, source, text, act)
        self._entries.append(entry)
        return entry

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self._entries)

    def __reversed__(self) -> Iterator[LogEntry]:
        return reversed(self._entries)

    def __getitem__(self, index: int) -> LogEntry:
        return self._entries[index]
