"""The steps of time that charts cover, with the values that were recorded or stored.

This run records the last hour in steps of five seconds. Steps that it has not recorded, since they
are older or the process was suspended, are in the history, in steps of a minute; longer windows
have longer steps, whose values are means.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, isnan, nan
from typing import TYPE_CHECKING, Any, Final

from ...model.entities.series.time_series import SECONDS, STEP, STEPS, Mark, TimeSeries
from ...model.ingest.series_recorder import Subjects
from ..context import AppContext

if TYPE_CHECKING:
    from ...history.rows import SubjectKind

WINDOWS: Final = (300, 900, SECONDS, 6 * SECONDS, 24 * SECONDS, 168 * SECONDS)
"""Seconds that charts cover; those of more than an hour need the history."""
WINDOW_NAMES: Final = dict(zip(("5m", "15m", "1h", "6h", "24h", "7d"), WINDOWS, strict=True))
_LONG_STEPS: Final = {6 * SECONDS: 60, 24 * SECONDS: 300, 168 * SECONDS: 1_800}
_STEPS_PER_MINUTE: Final = 60 // STEP
_ALWAYS_MARKED: Final = frozenset({"lost", "deployed"})


def window_name(seconds: int) -> str:
    """Return the name of a window, such as `15m`."""
    return next(name for name, each in WINDOW_NAMES.items() if each == seconds)


@dataclass(frozen=True, slots=True)
class ChartWindow:
    """Steps that are numbered from the epoch: step `n` begins at `n * step` seconds."""

    last: int
    """The number of the last step."""
    count: int
    """How many steps."""
    step: int
    """Seconds of a step."""

    @property
    def end(self) -> float:
        """The epoch seconds at which the last step ends."""
        return float((self.last + 1) * self.step)

    @property
    def seconds(self) -> int:
        """The time that all steps cover together."""
        return self.count * self.step

    @property
    def steps(self) -> range:
        """The numbers of the steps, oldest first."""
        return range(self.last - self.count + 1, self.last + 1)

    def longer(self, steps: int) -> ChartWindow:
        """Return the window with more steps before it."""
        return ChartWindow(self.last, self.count + steps, self.step)


def windows(context: AppContext) -> tuple[int, ...]:
    """Return the seconds that charts can cover: without a history, an hour at most."""
    if context.stored_series.available:
        return WINDOWS
    return tuple(seconds for seconds in WINDOWS if seconds <= SECONDS)


def chart_window(context: AppContext) -> ChartWindow:
    """Return the steps that charts cover."""
    seconds, series = context.chart_seconds, context.state.series
    step = _LONG_STEPS.get(seconds, STEP)
    end = series.end if series.newest else context.now()
    return ChartWindow(int(end - 1) // step, seconds // step, step)


def values(
    context: AppContext,
    window: ChartWindow,
    kind: SubjectKind,
    name: str,
    value: str,
    days_ago: int = 0,
) -> list[float]:
    """Return a value of a subject in each step, oldest first; NaN is unknown.

    Args:
        context: The session.
        window: The steps.
        kind: `cluster`, `queue`, `worker` or `type`.
        name: The subject's name; empty for the cluster.
        value: One of the names in `model.ingest.series_recorder`.
        days_ago: How many days earlier the values are from.
    """
    stored = context.stored_series.values(
        kind, name, value, window.last, window.count, window.step, days_ago
    )
    series = None if days_ago else recorded(context, kind, name)
    if series is None:
        return stored
    if window.step == STEP:
        # A minute that is being stored has values, of its other steps, for what is unknown in one,
        # and for those before the first.
        own = series.window(value, window.last, window.count)
        first = series.first or 0
        unknown = range(first - first % _STEPS_PER_MINUTE, first)
        return [
            new if series.was_recorded(step) else nan if step in unknown else old
            for step, new, old in zip(window.steps, own, stored, strict=True)
        ]
    own = _folded(series, value, window)
    return [new if isnan(old) else old for new, old in zip(own, stored, strict=True)]


def recorded(context: AppContext, kind: SubjectKind, name: str) -> TimeSeries | None:
    """Return what this run has recorded of a subject; None if nothing."""
    if kind == "cluster":
        return context.state.series.cluster
    return _subjects(context, kind).series(name)


def is_left_out(context: AppContext, kind: SubjectKind, name: str) -> bool:
    """Return whether a subject is not recorded because as many as possible are."""
    return kind != "cluster" and not _subjects(context, kind).has_room(name)


def _subjects(context: AppContext, kind: SubjectKind) -> Subjects[Any]:
    recorder = context.state.series
    if kind == "queue":
        return recorder.queues
    return recorder.workers if kind == "worker" else recorder.types


def _folded(series: TimeSeries, value: str, window: ChartWindow) -> list[float]:
    """Return the means of the recorded steps in each step of a longer window."""
    found = [nan] * window.count
    fold = window.step // STEP
    last = (window.last + 1) * fold - 1
    own = series.window(value, last, min(STEPS, window.count * fold))
    for number in range(len(own) // fold):
        known = [one for one in own[number * fold : (number + 1) * fold] if not isnan(one)]
        if known:
            found[window.count - len(own) // fold + number] = fsum(known) / len(known)
    return found


def marks(context: AppContext, window: ChartWindow) -> tuple[Mark, ...]:
    """Return what happened to workers, oldest first; in long windows only losses and deploys."""
    start, end = window.end - window.seconds, window.end
    stored = context.stored_series.marks(end, window.seconds)
    found = dict.fromkeys((*stored, *context.state.series.marks))
    shown = [
        mark
        for mark in found
        if start <= mark.at < end and (window.step == STEP or mark.kind in _ALWAYS_MARKED)
    ]
    return tuple(sorted(shown, key=lambda mark: mark.at))
