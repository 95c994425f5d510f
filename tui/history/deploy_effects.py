"""Effects of the latest deploy: failures and run times of each task type before and after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

from ...model.entities.series.time_series import Mark
from .stored_series import DAY, MINUTE, StoredSeries

if TYPE_CHECKING:
    from ...cluster.session import StoredHistory
    from ...history.rows import TypeRow

MAX_SECONDS: Final = 3_600
"""The time before the deploy, and at most that after it, that are compared."""
READ_INTERVAL: Final = 20.0
"""Seconds after which the numbers are read again."""
MIN_RUNS: Final = 5
"""Finished tasks on each side from which run times are compared."""
SLOWER: Final = 1.5
"""The ratio of run times from which a type is marked as slower."""
DEVIATIONS: Final = 3.0
"""Standard deviations from which more failures are not taken for chance."""


@dataclass(frozen=True, slots=True)
class DeployEffect:
    """A task type before and after a deploy; None is unknown."""

    failed_before: float | None
    """The share of finished tasks that failed."""
    failed_after: float | None
    p95_before: float | None
    """Seconds."""
    p95_after: float | None
    fails_more: bool
    is_slower: bool


class DeployEffects:
    """The latest deploy of the last day, and its effects.

    Args:
        history: Where the effects are read; None if there is no history.
        series: Where the earlier marks are.
        marks: Returns those of this run.
        now: Returns the time that the screen shows, epoch seconds.
    """

    def __init__(
        self,
        history: StoredHistory | None,
        series: StoredSeries,
        marks: Callable[[], Iterable[Mark]],
        now: Callable[[], float],
    ) -> None:
        self._history = history
        self._series = series
        self._marks = marks
        self._now = now
        self._asked: Future[tuple[Sequence[TypeRow], Sequence[TypeRow]]] | None = None
        self._asked_at = float("-inf")
        self._tried: Mark | None = None
        self._effects: Mapping[str, DeployEffect] = {}

    @property
    def available(self) -> bool:
        """Whether there is a history to compare with."""
        return self._history is not None

    @property
    def latest(self) -> Mark | None:
        """The latest deploy; None if there was none in the last day."""
        now = self._now()
        stored = self._series.marks(now, DAY) if self.available else ()
        deploys = (
            mark
            for mark in (*stored, *self._marks())
            if mark.kind == "deployed" and now - DAY <= mark.at <= now
        )
        return max(deploys, key=lambda mark: mark.at, default=None)

    def of(self, name: str) -> DeployEffect | None:
        """Return the effect on a task type; None if it is unknown."""
        return self._effects.get(name)

    def refresh(self) -> None:
        """Take what was read, and read again from time to time."""
        if self._asked is not None and self._asked.done():
            found, self._asked = self._asked, None
            if not (found.cancelled() or found.exception()):
                self._effects = _effects(*found.result())
        latest, now = self.latest, time.monotonic()
        if latest is None:
            self._effects = {}
            return
        due = latest != self._tried or now - self._asked_at >= READ_INTERVAL
        if self._history is not None and self._asked is None and due:
            self._asked_at, self._tried = now, latest
            at = latest.at // MINUTE * MINUTE
            self._asked = self._history.types_around(at, MAX_SECONDS)


def _effects(before: Sequence[TypeRow], after: Sequence[TypeRow]) -> dict[str, DeployEffect]:
    earlier = {row.name: row for row in before}
    return {row.name: _effect(earlier.get(row.name), row) for row in after}


def _effect(before: TypeRow | None, after: TypeRow) -> DeployEffect:
    old = None if before is None else _failed_share(before)
    new, runs = _failed_share(after), after.succeeded + after.failed
    expected = (old or 0.0) * runs
    fails_more = new is not None and after.failed > expected + DEVIATIONS * sqrt(max(1.0, expected))
    p95 = None if before is None else before.runtime_p95
    enough = before is not None and min(before.succeeded, after.succeeded) >= MIN_RUNS
    is_slower = (
        enough
        and p95 is not None
        and after.runtime_p95 is not None
        and after.runtime_p95 > SLOWER * p95
    )
    return DeployEffect(old, new, p95, after.runtime_p95, fails_more, is_slower)


def _failed_share(row: TypeRow) -> float | None:
    finished = row.succeeded + row.failed
    return row.failed / finished if finished else None
