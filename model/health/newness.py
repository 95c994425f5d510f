"""Whether a problem is new or growing; one that has not changed for a while is not an alarm."""

from __future__ import annotations

from math import sqrt
from typing import Final

from ..entities.queue import Queue
from ..entities.worker import Worker
from ..ingest.tasks.failure_groups import TREND_STEP, FailureGroup
from ..state import ClusterState
from .finding import Finding

NEW: Final = 600.0
"""Seconds for which a problem is new."""
MIN_FAILURES: Final = 3
"""Fewer failures are no trend."""
GROWTH: Final = 2.0
"""How many times as often tasks fail as before, if failures are growing."""
DEVIATIONS: Final = 4.0
"""Standard deviations by which failures exceed the expected number, if that is not by chance."""
_RECENT_SECONDS: Final = 60
_RECENT_STEPS: Final = 3
"""Steps of a trend that are recent; the last is incomplete."""


def is_pressing(finding: Finding, now: float) -> bool:
    """Return whether a finding is an error that is new or growing."""
    changed_at = finding.since if finding.grew_at is None else finding.grew_at
    return finding.severity == "error" and is_new(changed_at, now)


def is_new(since: float | None, now: float) -> bool:
    """Return whether something began in the last `NEW` seconds; unknown counts as new."""
    return since is None or now - since < NEW


def failures_rise(state: ClusterState, now: float) -> bool:
    """Return whether tasks fail more often in the last minute than before, or at all so far."""
    failed, since = state.rates.failed, state.totals.first_event_at
    recent = failed.count(now, _RECENT_SECONDS)
    if since is None or is_new(since, now):
        return recent > 0
    before = failed.count(now - _RECENT_SECONDS, int(NEW) - _RECENT_SECONDS)
    ratio = (NEW - _RECENT_SECONDS) / _RECENT_SECONDS
    return _is_more(recent, before / ratio)


def failures_are_new(group: FailureGroup, now: float) -> bool:
    """Return whether a group began to fail recently, or fails more often than before."""
    if is_new(group.first_at, now):
        return True
    counts = group.trend.series(now)
    recent, before = sum(counts[-_RECENT_STEPS:]), sum(counts[:-_RECENT_STEPS])
    recent_seconds = (_RECENT_STEPS - 1) * TREND_STEP + now % TREND_STEP
    earlier = len(counts) * TREND_STEP - TREND_STEP + now % TREND_STEP - recent_seconds
    if group.first_at is not None:
        earlier = min(earlier, now - group.first_at - recent_seconds)
    return earlier > 0 and _is_more(recent, before * recent_seconds / earlier)


def newly_failing(state: ClusterState, now: float) -> frozenset[str]:
    """Return the names of tasks that began to fail recently, or fail more often than before."""
    groups = (group for group in state.failures if failures_are_new(group, now))
    return frozenset(name for group in groups for name in group.names)


def _is_more(failures: int, expected: float) -> bool:
    """Return whether there are more failures than expected, and not just by chance.

    The standard deviation of a number of independent failures is the root of the expected number.
    """
    by_chance = max(GROWTH * expected, expected + DEVIATIONS * sqrt(expected))
    return failures >= MIN_FAILURES and failures > by_chance


def backlog_grew_at(queue: Queue) -> float | None:
    """Return when the waiting messages were last seen to become more, or were first measured."""
    history = queue.history
    for index in range(len(history) - 1, 0, -1):
        if history[index][1] > history[index - 1][1]:
            return history[index][0]
    return history[0][0] if history else None


def gone_since(worker: Worker) -> float | None:
    """Return since when a worker is offline or takes no tasks; None if unknown."""
    stalls = worker.left_at is None and worker.stalled_since is not None
    return worker.stalled_since if stalls else worker.seen_until
