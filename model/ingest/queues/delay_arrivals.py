"""When the messages in each level of delayed delivery arrived there, by the counts of the broker.

A message stays in a level for exactly the level's time, so those that arrived between two counts
also leave together: their due times are known within a range that gets shorter with each level.
"""

from __future__ import annotations

from typing import Final

from ...entities.messages.delayed import Arrivals, Delayed
from ...entities.queue import STATISTICS_DELAY

MAX_ARRIVALS: Final = 8
"""Arrivals that are kept apart in one level; the oldest are merged."""


class DelayArrivals:
    """The arrivals in each level, the oldest first."""

    def __init__(self) -> None:
        self._levels: dict[int, list[Arrivals]] = {}
        self._counted_at: float | None = None

    @property
    def all(self) -> list[Arrivals]:
        """The arrivals in all levels."""
        return [one for arrivals in self._levels.values() for one in arrivals]

    def apply(self, delayed: Delayed) -> None:
        """Apply the counts of all levels."""
        at = delayed.measured_at
        if at is None:
            self._levels, self._counted_at = {}, None
            return
        self._levels = {
            level.level: self._counted(level.level, level.messages - level.undeliverable, at)
            for level in delayed.levels
        }
        self._counted_at = at

    def _counted(self, level: int, messages: int, at: float) -> list[Arrivals]:
        """Return the arrivals in a level that has a number of messages at a time."""
        stay = 1 << level
        before = at - stay if self._counted_at is None else self._counted_at
        since, found = before, []
        for one in reversed(self._levels.get(level, ())):
            if one.by + stay + STATISTICS_DELAY <= at:
                # All of them have left: what is still there arrived in the meantime.
                since = min(since, before if one.replaced is None else one.replaced[0])
                continue
            kept = min(messages, one.messages)
            if kept:
                # As soon as they may have left, others may have arrived instead.
                replaced = one.replaced
                if one.after + stay <= at:
                    replaced = (before if replaced is None else replaced[0], at)
                found.append(one._replace(messages=kept, replaced=replaced))
                messages -= kept
        if messages:
            found.insert(0, Arrivals(level, since - STATISTICS_DELAY, at, messages))
        return _merged(found[::-1])


def _merged(arrivals: list[Arrivals]) -> list[Arrivals]:
    """Return at most `MAX_ARRIVALS`, the oldest first."""
    while len(arrivals) > MAX_ARRIVALS:
        first, second = arrivals[:2]
        both = second._replace(
            after=first.after,
            messages=first.messages + second.messages,
            replaced=first.replaced or second.replaced,
        )
        arrivals = [both, *arrivals[2:]]
    return arrivals
