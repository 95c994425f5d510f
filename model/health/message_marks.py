"""Bounds of the age of a queue's oldest message, from messages that earlier runs have seen in it.

Celery's messages have no send time. But a message that waited at an earlier time has been waiting
since then at least; and if the message that was then the newest is gone, every other one is newer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ..observations import WaitingMessage

MAX_MARKS: Final = 32
"""Messages of a queue that are remembered."""


class Mark(msgspec.Struct, frozen=True):
    """A message that waited in a queue."""

    id: str
    """Of its task."""
    at: float
    """When it was first seen, epoch seconds."""
    newest: bool = False
    """Whether it was the newest one then."""


class Marks(msgspec.Struct, frozen=True):
    """The marks of a queue."""

    marks: tuple[Mark, ...] = ()
    """The oldest first."""
    newer_than: float | None = None
    """All messages that wait now were sent after this time, epoch seconds."""


class AgeBounds(msgspec.Struct, frozen=True):
    """Bounds of the age of the first message that may run, in seconds."""

    at_least: float = 0.0
    less_than: float | None = None


def read_marks(
    before: Marks, messages: Sequence[WaitingMessage], now: float, *, complete: bool
) -> tuple[Marks, AgeBounds]:
    """Return what to remember of a queue, and what follows for the age of its messages.

    Args:
        before: What an earlier run remembered.
        messages: The messages that wait, the next one first.
        now: When they were read, epoch seconds.
        complete: Whether these are all.
    """
    if complete and not messages:
        return Marks(newer_than=now), AgeBounds(0.0, 0.0)
    waiting = {one.id: one for one in messages}
    newer_than = before.newer_than
    if complete:
        gone = [mark.at for mark in before.marks if mark.newest and mark.id not in waiting]
        newer_than = max([*gone, *([] if newer_than is None else [newer_than])], default=None)
    if any(one.redelivered for one in messages):
        newer_than = None  # an older message is back in the queue
    kept = {mark.id: mark for mark in before.marks if not complete or mark.id in waiting}
    new = [Mark(messages[0].id, now)] if messages else []
    if complete:
        new.append(Mark(messages[-1].id, now, newest=True))
    for mark in new:
        earlier = kept.get(mark.id)
        if earlier is None:
            kept[mark.id] = mark
        elif mark.newest and not earlier.newest:
            kept[mark.id] = msgspec.structs.replace(earlier, newest=True)
    marks = _thinned(sorted(kept.values(), key=lambda mark: mark.at))
    bounds = AgeBounds(
        _at_least(marks, waiting, now), None if newer_than is None else now - newer_than
    )
    return Marks(marks, newer_than), bounds


def _at_least(marks: Sequence[Mark], waiting: Mapping[str, WaitingMessage], now: float) -> float:
    """Return how long a message that may run now has been waiting at least, since its ETA."""
    longest = 0.0
    for mark in marks:
        message = waiting.get(mark.id)
        if message is not None and (message.eta_at or 0.0) <= now:
            longest = max(longest, now - max(mark.at, message.eta_at or 0.0))
    return longest


def _thinned(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return marks without every second one of the middle, if there are too many."""
    if len(marks) <= MAX_MARKS:
        return tuple(marks)
    return (marks[0], *marks[1:-1:2], marks[-1])
