"""Findings on queues that have consumers, but do not move, or grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, isnan
from typing import Any, Final

from ...entities.queue import Queue
from ...entities.series.rates import RATE_WINDOW
from ...entities.series.time_series import STEP, STEPS, TimeSeries
from ...entities.worker import Worker
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted, verb
from ..finding import Finding
from .slots import are_full, consumers_of, steps_in, was_free

MIN_WAITING: Final = 10
"""Messages below which a queue that grows needs no attention."""
GROWTH: Final = 1.1
"""How many times as many messages must wait at the end of a time as at its start."""
RING_SECONDS: Final = 120.0
"""Seconds for which a queue remembers when tasks were received from it."""


def backlog_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on queues with waiting messages and with consumers."""
    for queue in state.queues.values():
        if not queue.waiting or queue.paused:
            continue
        series = state.series.queues.series(queue.name)
        if series is None:
            continue
        consumers = consumers_of(queue, state)
        if not consumers:
            continue
        finding = _stalled(queue, consumers, series, state, now)
        if finding is None and queue.waiting >= MIN_WAITING:
            finding = _full(queue, consumers, series, state) or _growing(
                queue, consumers, series, state
            )
        if finding is not None:
            yield finding


def _stalled(
    queue: Queue, consumers: Sequence[Worker], series: TimeSeries, state: ClusterState, now: float
) -> Finding | None:
    """Return a finding if nothing was taken for a while although consumers were free."""
    limit, now = state.thresholds.queue_stalled, state.broker.observed_until(now)
    if queue.due_at is not None and queue.due_at > now:
        return None
    if queue.out_per_s != 0 or queue.received.count_since(now - min(limit, RING_SECONDS), now):
        return None
    newest, steps = state.series.newest, steps_in(limit)
    waiting = series.window("waiting", newest, steps)
    if not all(depth > 0 for depth in waiting):  # NaN is not
        return None
    if limit > RING_SECONDS and any(
        rate > 0 for rate in series.window("out_per_s", newest, steps_in(limit - RING_SECONDS))
    ):
        return None
    free = [one for one in consumers if was_free(one, state, limit)]
    if not free:
        return None
    since = _idle_since(queue, series, newest)
    names = [worker.name for worker in free]
    next_step = _restart(names)
    if step_note := next((note for note in queue.notes if "priority_steps" in note), None):
        next_step = f"Set the same priority_steps for workers and senders: {step_note}"
    slots = sum(max(0, (one.slots or 0) - (one.running or 0)) for one in free)
    return Finding(
        "queue-stalled",
        "error",
        "queue",
        f"{counted(queue.waiting or 0, 'message')} waiting, none taken for "
        f"{units.duration(int(now - since))}, although {verb(names, 'has', 'have')} "
        f"{counted(slots, 'free process')}",
        queue.name,
        next_step,
        {"waiting": queue.waiting, "consumers": names, "free_slots": slots, "idle_since_at": since},
        since=since,
        common="not consumed",
    )


def _restart(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"Check the log of {names[0]}; restart it if nothing is taken"
    return "Check the logs of these workers; restart them if nothing is taken"


def _idle_since(queue: Queue, series: TimeSeries, newest: int) -> float:
    """Return since when messages have been waiting and none was taken, in the last hour."""
    since = newest
    depths = series.window("waiting", newest, min(STEPS, newest - (series.first or newest) + 1))
    rates = series.window("out_per_s", newest, len(depths))
    for ago, (depth, rate) in enumerate(zip(reversed(depths), reversed(rates), strict=True)):
        if rate > 0:  # the mean of the time before
            return (newest - ago) * STEP - float(RATE_WINDOW)
        if not depth > 0:
            break
        since = newest - ago
    return float(since * STEP)


def _full(
    queue: Queue, consumers: Sequence[Worker], series: TimeSeries, state: ClusterState
) -> Finding | None:
    """Return a finding if all processes were busy for a while, and the queue grew."""
    seconds = state.thresholds.queue_full
    growth = _growth(queue, series, state, seconds)
    if growth is None or not are_full(consumers, state, seconds):
        return None
    arriving, taken = queue.in_per_s, queue.out_per_s
    since = _growing_since(series, state.series.newest)
    text = f"all {_processes(consumers)} busy; "
    evidence: dict[str, Any] = {"waiting": queue.waiting, "grown_by": growth, "over_s": seconds}
    evidence |= {"slots": _slots(consumers), "in_per_s": arriving, "out_per_s": taken}
    next_step = "Add processes (celtop control grow) or workers"
    if arriving and taken and arriving > taken:
        more = max(1, ceil(_slots(consumers) * (arriving / taken - 1)))
        evidence["more_slots"] = more
        next_step = f"Add at least {counted(more, 'process')} (celtop control grow), or workers"
    return Finding(
        "queue-full",
        "warning",
        "queue",
        f"{text}{_trend(queue, growth, seconds)}",
        queue.name,
        next_step,
        evidence,
        since=since,
        common="all processes busy",
    )


def _growing(
    queue: Queue, consumers: Sequence[Worker], series: TimeSeries, state: ClusterState
) -> Finding | None:
    """Return a finding if more tasks arrived than were taken for a while."""
    seconds = state.thresholds.queue_growing
    growth = _growth(queue, series, state, seconds)
    if growth is None:
        return None
    evidence = {"waiting": queue.waiting, "grown_by": growth, "over_s": seconds}
    evidence |= {
        "slots": _slots(consumers),
        "in_per_s": queue.in_per_s,
        "out_per_s": queue.out_per_s,
    }
    return Finding(
        "queue-growing",
        "warning",
        "queue",
        _trend(queue, growth, seconds),
        queue.name,
        "Add processes or workers, or find out why tasks became slower or more frequent",
        evidence,
        since=_growing_since(series, state.series.newest),
        common="growing",
    )


def _growth(queue: Queue, series: TimeSeries, state: ClusterState, seconds: float) -> float | None:
    """Return by how many messages a queue grew, if it did in each third of a time.

    A queue that fills and drains again and again may have more messages in each third, too. But in
    both halves of the time it has been about empty.
    """
    # Cheap for the many queues that do not grow.
    arriving, taken = queue.in_per_s, queue.out_per_s
    if arriving is not None and taken is not None and arriving <= taken:
        return None
    depths = series.window("waiting", state.series.newest, max(3, steps_in(seconds)))
    third = len(depths) // 3
    means = [_mean(depths[at : at + third]) for at in (0, third, len(depths) - third)]
    first, last = depths[0], depths[-1]
    if not means[0] < means[1] < means[2] or not last >= GROWTH * first:  # NaN is neither
        return None
    half = len(depths) // 2
    return last - first if _lowest(depths[half:]) > _lowest(depths[:half]) else None


def _growing_since(series: TimeSeries, newest: int) -> float:
    """Return since when each minute had more waiting messages than the one before."""
    count = min(STEPS, newest - (series.first or newest) + 1)
    depths = series.window("waiting", newest, count)
    minutes: dict[int, list[float]] = {}
    for step, depth in enumerate(depths, start=newest - count + 1):
        minutes.setdefault(step * STEP // 60, []).append(depth)
    since, after = newest * STEP // 60, float("inf")
    for minute in sorted(minutes, reverse=True):
        mean = _mean(minutes[minute])
        if not mean < after:
            break
        since, after = minute, mean
    return since * 60.0


def _trend(queue: Queue, growth: float, seconds: float) -> str:
    """Return how many messages wait, how many more than before, and when they have doubled."""
    waiting = queue.waiting or 0
    text = f"{counted(waiting, 'message')} waiting, {growth:,.0f} more than "
    text += f"{units.duration(int(seconds))} ago"
    if queue.in_per_s is not None and queue.out_per_s is not None:
        text += f"; {units.rate(queue.in_per_s)} arrive, {units.rate(queue.out_per_s)} are taken"
        net = queue.in_per_s - queue.out_per_s
        if net > 0:
            text += f", twice as many in {units.duration(int(waiting / net))}"
    return text


def _processes(workers: Sequence[Worker]) -> str:
    of = workers[0].name if len(workers) == 1 else counted(len(workers), "worker")
    return f"{counted(_slots(workers), 'process')} of {of}"


def _slots(workers: Sequence[Worker]) -> int:
    return sum(worker.slots or 0 for worker in workers)


def _mean(values: list[float]) -> float:
    """Return the mean of the known values; NaN if less than half are known."""
    known = [value for value in values if not isnan(value)]
    return sum(known) / len(known) if 2 * len(known) >= len(values) and known else float("nan")


def _lowest(values: list[float]) -> float:
    """Return the lowest of the known values; NaN if there is none."""
    return min((value for value in values if not isnan(value)), default=float("nan"))
