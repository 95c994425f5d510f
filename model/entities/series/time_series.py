"""Values sampled at a fixed step, for the last hour."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from math import isnan, nan
from typing import Final, Literal, TypeAlias

import msgspec

STEP: Final = 5
"""Seconds between two samples."""
SECONDS: Final = 3_600
"""Seconds that a series covers."""
STEPS: Final = SECONDS // STEP

MAX_MARKS: Final = 500

MarkKind: TypeAlias = Literal["lost", "restarted", "started", "stopped", "deployed"]


def step_of(at: float) -> int:
    """Return the number of the step that an epoch time is in."""
    return int(at // STEP)


class TimeSeries:
    """A few values of one subject, sampled together; NaN is unknown.

    Steps are numbered from the epoch: step `n` covers the seconds from `n * STEP` on. The size is
    fixed, at 4 bytes a sample and value (2.9 KB for an hour), and a byte a sample.
    """

    __slots__ = ("_recorded", "_rings", "first", "names", "newest")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._rings = tuple(array("f", (nan,)) * STEPS for _ in names)
        self._recorded = bytearray(STEPS)
        self.first: int | None = None
        """The first recorded step; None before it."""
        self.newest = 0
        """The last recorded step."""

    def __copy__(self) -> TimeSeries:
        """Return a copy with samples of its own."""
        copied = TimeSeries(())
        copied.names, copied.first, copied.newest = self.names, self.first, self.newest
        copied._rings = tuple(ring[:] for ring in self._rings)
        copied._recorded = self._recorded[:]
        return copied

    def record(self, step: int, values: Mapping[str, float | None]) -> None:
        """Add the values of a step that is newer than all before; missing ones are unknown."""
        if self.first is None:
            self.first = step
        else:
            for skipped in range(max(self.newest + 1, step - STEPS), step):
                self._recorded[skipped % STEPS] = False
                for ring in self._rings:
                    ring[skipped % STEPS] = nan
        self.newest = step
        slot = step % STEPS
        self._recorded[slot] = True
        for name, ring in zip(self.names, self._rings, strict=True):
            value = values.get(name)
            ring[slot] = nan if value is None else value

    def window(self, name: str, last: int, count: int) -> list[float]:
        """Return the values of `count` steps up to the step `last`, oldest first."""
        start = last - count + 1
        low, high = start, last
        if self.first is not None:
            low = max(low, self.first, self.newest - STEPS + 1)
            high = min(high, self.newest)
        if self.first is None or low > high:
            return [nan] * count
        ring = self._rings[self.names.index(name)]
        begin, end = low % STEPS, high % STEPS + 1
        known = ring[begin:end] if begin < end else ring[begin:] + ring[:end]
        return [nan] * (low - start) + known.tolist() + [nan] * (last - high)

    def was_recorded(self, step: int) -> bool:
        """Return whether a step was recorded, be it with unknown values."""
        return self.newest - STEPS < step <= self.newest and bool(self._recorded[step % STEPS])

    def at(self, name: str, epoch: float) -> float | None:
        """Return the value at an epoch time; None if it is unknown."""
        value = self.window(name, step_of(epoch), 1)[0]
        return None if isnan(value) else value

    def last(self, name: str) -> float | None:
        """Return the newest value; None if it is unknown."""
        return self.at(name, self.newest * STEP)


class Mark(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to a worker, to be marked on charts."""

    at: float
    """Epoch seconds by the local clock."""
    kind: MarkKind
    worker: str
    text: str = ""
    """For a deploy, what has changed."""


class Marks:
    """The newest marks of the last hour, oldest first."""

    def __init__(self) -> None:
        self._marks: deque[Mark] = deque(maxlen=MAX_MARKS)

    def add(self, at: float, kind: MarkKind, worker: str, text: str = "") -> None:
        """Add a mark."""
        self._marks.append(Mark(at, kind, worker, text))

    def __iter__(self) -> Iterator[Mark]:
        return iter(self._marks)

    def __len__(self) -> int:
        return len(self._marks)

    def between(self, start: float, end: float) -> list[Mark]:
        """Return the marks from `start` on and before `end`."""
        return [mark for mark in self._marks if start <= mark.at < end]
