"""The log of connection, worker and model events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from ...text.coerce import truncate

Level: TypeAlias = Literal["info", "warning", "error"]

MAX_LOG_ENTRIES: Final = 5000
"""Older entries are dropped."""
MAX_ENTRY_LENGTH: Final = 8_192
"""Characters of an entry that are kept."""


class LogEntry(msgspec.Struct, frozen=True, gc=False):
    """One line of the log."""

    serial: int
    """Counts up from 1; never reused."""
    at: float
    """Epoch seconds by the local clock."""
    level: Level
    source: str
    """`broker`, `worker`, `events`, `tasks`, `operation`, ..."""
    text: str
    """May contain text from the cluster and must be sanitized before display."""
    operation: int | None = None
    """The number of the operation that the entry is about; None if there is none."""

    @property
    def id(self) -> str:
        """The serial number as text: the row's id in tables."""
        return str(self.serial)


class EventLog:
    """The most recent entries, oldest first."""

    def __init__(self, size: int = MAX_LOG_ENTRIES) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=size)
        self.version = 0
        """The serial number of the newest entry."""

    @classmethod
    def of_entries(cls, entries: Iterable[LogEntry]) -> EventLog:
        """Return a log that has entries already, the oldest first."""
        log = cls()
        log._entries.extend(entries)
        log.version = log._entries[-1].serial if log._entries else 0
        return log

    def until(self, at: float) -> EventLog:
        """Return the log as it was at an epoch time."""
        return self.of_entries(entry for entry in self._entries if entry.at <= at)

    def add(
        self, at: float, level: Level, source: str, text: str, operation: int | None = None
    ) -> LogEntry:
        """Append an entry and return it."""
        self.version += 1
        text = truncate(text, MAX_ENTRY_LENGTH)
        entry = LogEntry(self.version, at, level, source, text, operation)
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
