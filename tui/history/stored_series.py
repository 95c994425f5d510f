"""The series and marks of the history that charts need: loaded in the background and kept.

A chart that is drawn before they are there is drawn again when `version` has changed.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from math import nan
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from ...model.entities.series.time_series import SECONDS, Mark
from .failed_reads import failed

if TYPE_CHECKING:
    from ...cluster.session import ChartHistory, StoredHistory
    from ...history.rows import Gap, StoredMark, SubjectKind

R = TypeVar("R")

MINUTE: Final = 60
DAY: Final = 86_400
MAX_KEPT: Final = 200
"""Series that are kept; those drawn longest ago make room."""
MAX_MARKS: Final = 1_000
RETRY_INTERVAL: Final = 5.0
"""Seconds after a failure before values are read again."""

_Key: TypeAlias = tuple[str, str, int, int, int]
"""Kind and name of the subject, seconds of a step and of the window, and days before today."""


class _Stored(NamedTuple):
    """The values of the steps from `first` to `last`, which are numbered from the epoch."""

    first: int
    last: int
    values: Mapping[str, Sequence[float]]


class _Asked(NamedTuple):
    first: int
    last: int
    values: Future[Mapping[str, Sequence[float]]]


class StoredSeries:
    """The series and marks that were drawn last.

    Args:
        history: Reads them; None if there is no history.
        runs: Reads when nothing was recorded; None if that is unknown.
    """

    def __init__(self, history: ChartHistory | None, runs: StoredHistory | None = None) -> None:
        self._history = history
        self._runs = runs
        self._gaps: Sequence[Gap] = ()
        self._gaps_minute = 0
        self._asked_gaps: Future[Sequence[Gap]] | None = None
        self._stored: OrderedDict[_Key, _Stored] = OrderedDict()
        self._asked: dict[_Key, _Asked] = {}
        self._marks: dict[int, tuple[int, Sequence[Mark]]] = {}
        self._asked_marks: dict[int, tuple[int, Future[Sequence[StoredMark]]]] = {}
        self._version = 0
        self._failed_at = float("-inf")
        self._retries = 0
        self.unavailable = False
        """Whether values could not be read the last time: those read before are kept."""

    @property
    def available(self) -> bool:
        """Whether there is a history."""
        return self._history is not None

    @property
    def version(self) -> int:
        """Counts up whenever something was loaded, or should be tried again after a failure."""
        for key in [key for key, asked in self._asked.items() if asked.values.done()]:
            first, last, found = self._asked.pop(key)
            self.unavailable = failed(found)
            if _succeeded(found):
                self._stored[key] = _Stored(first, last, found.result())
            else:
                self._failed_at, self._retries = time.monotonic(), 0  # what is known stays
            self._version += 1
            if len(self._stored) > MAX_KEPT:
                self._stored.popitem(last=False)
        for seconds in [one for one, (_, found) in self._asked_marks.items() if found.done()]:
            minute, marks = self._asked_marks.pop(seconds)
            rows = marks.result()[-MAX_MARKS:] if _succeeded(marks) else ()
            self._marks[seconds] = minute, [_mark(row) for row in rows]
            self._version += 1
        if self._asked_gaps is not None and self._asked_gaps.done():
            gaps, self._asked_gaps = self._asked_gaps, None
            if _succeeded(gaps):
                self._gaps = gaps.result()
                self._version += 1
        if self.unavailable:
            waited = time.monotonic() - self._failed_at
            if waited >= RETRY_INTERVAL * (self._retries + 1):
                self._retries += 1
                self._version += 1
        return self._version

    def values(
        self,
        kind: SubjectKind,
        name: str,
        value: str,
        last: int,
        count: int,
        step: int,
        days_ago: int = 0,
    ) -> list[float]:
        """Return the stored values of some steps, oldest first; NaN is unknown or not loaded yet.

        Args:
            kind: What the series is about.
            name: The name of the queue, worker or task type; empty for the cluster.
            value: The name of the value.
            last: The number of the last step.
            count: How many steps.
            step: Seconds of a step.
            days_ago: How many days earlier the values are from.
        """
        coarse = max(step, MINUTE)
        first = (last - count + 1) * step // coarse - days_ago * DAY // coarse
        final = last * step // coarse - days_ago * DAY // coarse
        key = (kind, name, coarse, max(count * step, SECONDS), days_ago)
        stored = self._stored.get(key)
        if stored is not None:
            self._stored.move_to_end(key)
        if stored is None or first < stored.first or final - 1 > stored.last:
            self._load(key, final)
        known = () if stored is None else stored.values.get(value, ())
        if stored is None or not known:
            return [nan] * count
        shift = days_ago * DAY // step
        numbers = range(last - count + 1 - shift, last + 1 - shift)
        places = [number * step // coarse - stored.first for number in numbers]
        found = [known[place] if 0 <= place < len(known) else nan for place in places]
        if step < MINUTE:
            self._read_gaps(last * step)
            self._blank_gaps(found, numbers, step)
        return found

    def _read_gaps(self, end: int) -> None:
        """Read the gaps of two days before an epoch time, once a minute."""
        minute = end // MINUTE
        if self._runs is not None and self._asked_gaps is None and minute != self._gaps_minute:
            self._gaps_minute = minute
            self._asked_gaps = self._runs.gaps(float(end - 2 * DAY), float(end + MINUTE))

    def _blank_gaps(self, found: list[float], numbers: range, step: int) -> None:
        """Blank the steps of a minute of which only a part was recorded."""
        for gap in self._gaps:
            begin = max(numbers[0], -int(-gap.began_at // step))
            for number in range(begin, min(numbers[-1], int(gap.ended_at // step) - 1) + 1):
                found[number - numbers[0]] = nan

    def _load(self, key: _Key, final: int) -> None:
        if self._history is None or key in self._asked:
            return
        if time.monotonic() - self._failed_at < RETRY_INTERVAL:
            return
        kind, name, coarse, seconds, _ = key
        # An hour more, so that a frozen screen can go back.
        first = final - (seconds + SECONDS) // coarse
        found = self._history.series(
            kind,  # type: ignore[arg-type]
            name,
            float(first * coarse),
            float((final + 1) * coarse),
            coarse,
        )
        self._asked[key] = _Asked(first, final, found)

    def marks(self, end: float, seconds: int) -> Sequence[Mark]:
        """Return the stored marks of the time before `end`, oldest first, and some older ones."""
        minute = int(end) // MINUTE
        known = self._marks.get(seconds)
        # What was read reaches an hour further back.
        stale = known is None or not minute <= known[0] <= minute + SECONDS // MINUTE
        if self._history is not None and stale and seconds not in self._asked_marks:
            start = end - seconds - SECONDS
            self._asked_marks[seconds] = minute, self._history.marks(start, end + MINUTE)
        return () if known is None else known[1]


def _succeeded(found: Future[R]) -> bool:
    return not found.cancelled() and found.exception() is None


def _mark(row: StoredMark) -> Mark:
    return Mark(row.at, row.kind, row.name, row.text)  # type: ignore[arg-type]
