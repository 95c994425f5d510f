"""The state as it was at an earlier time of the last hour, for a screen that is frozen.

Tasks are taken back to where they were by their own times, exactly. Queues, workers and rates are
as they were sampled (`entities/series/time_series.py`). What is not sampled stays as it is if
it rarely changes (consumers, configuration, task types), and is unknown otherwise.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable, Mapping
from math import isnan
from typing import Final

from .entities.clock_skew import ClockSkews
from .entities.cluster.totals import Rates
from .entities.queue import MAX_DEPTHS_KEPT, Queue
from .entities.series.time_series import STEP, MarkKind, TimeSeries, step_of
from .entities.states import FAILURE, PENDING, RECEIVED, RETRY, STARTED
from .entities.task import Attempt, Task, first_seen_at, newest_time
from .entities.worker import Rusage, Worker
from .ingest.queues.delayed_messages import DelayedMessages
from .ingest.series_recorder import SeriesRecorder
from .ingest.tasks.failure_groups import FailureGroups
from .state import ClusterState

GONE: Final[frozenset[MarkKind]] = frozenset({"lost", "stopped"})
RATE_SECONDS: Final = 300
"""Seconds before the time for which rates are restored: the longest window of a rate."""


def state_at(frozen: ClusterState, at: float) -> ClusterState:
    """Return a copy of a frozen state as it was at an epoch time, which can only be read."""
    past, sampled_at = copy.copy(frozen), frozen.series.sampled_at(at)
    past.series = frozen.series.until(at)
    past.log = frozen.log.until(at)
    if frozen.series.cluster.at("online", sampled_at) is not None:
        past.broker = copy.copy(frozen.broker)
        past.broker.phase = "live"  # it may be lost at the freeze
    past.tasks = tasks_at(frozen.tasks, frozen.skews, at)
    past.schedule = frozen.schedule.until(at, past.tasks)
    past.undated = sum(first_seen_at(task) is None for task in frozen.tasks.values())
    running: dict[str, dict[str, None]] = {}
    for task in past.tasks.values():
        if task.running and task.worker is not None:
            running.setdefault(task.worker, {})[task.id] = None
    past.workers = _workers_at(frozen.workers, frozen.series, running, at)
    for task in frozen.tasks.values():
        if task.state == FAILURE and task.worker in past.workers:
            worker = past.workers[task.worker]
            if (task.finished_at or 0.0) - frozen.skews.get(worker.name, 0.0) > at:
                worker.failed -= 1
    past.queues = {
        name: _queue_at(queue, frozen.series.queues.series(name), past.workers, at, sampled_at)
        for name, queue in frozen.queues.items()
    }
    past.unacked = {}
    past.delayed = DelayedMessages(past.workers)
    past.lost = {id_: task for id_, task in past.tasks.items() if task.lost_at is not None}
    past.failures = FailureGroups()
    failed = (task for task in past.tasks.values() if task.state in (FAILURE, RETRY))
    past.failures.apply(failed, skews=frozen.skews)
    for group in past.failures:
        group.version = _version(at)  # its own counts changes, and may be that of another time
    past.totals = copy.copy(frozen.totals)
    past.totals.by_state = _by_state(past.tasks.values())
    past.rates = _rates_at(frozen.series.cluster, at)
    return past


def tasks_at(tasks: Mapping[str, Task], skews: ClockSkews, at: float) -> dict[str, Task]:
    """Return the tasks that were known by an epoch time, as they were then."""
    past = {}
    for id_, task in tasks.items():
        # Its times are by its worker's clock.
        found = task_at(task, at + skews.get(task.worker or "", 0.0))
        if found is not None:
            past[id_] = found
    return past


def task_at(task: Task, at: float) -> Task | None:
    """Return a task as it was at a time by its worker's clock; None if it was not known then."""
    seen = first_seen_at(task)
    if seen is None or min([seen, *_times(task.attempts)]) > at:
        return None
    if max(newest_time(task) or 0.0, task.state_at or 0.0) <= at:
        return _without_later_signs(task, at)
    runs = (*task.attempts, _present(task))
    number = max(
        (n for n, run in enumerate(runs) if min(_times((run,)), default=at) <= at), default=0
    )
    run, past = runs[number], copy.copy(task)
    past.attempts = task.attempts[:number]
    past.received_at, past.started_at, past.finished_at = (
        time if time is not None and time <= at else None
        for time in (run.received_at, run.started_at, run.finished_at)
    )
    ended = past.finished_at is not None
    past.state = (
        run.state if ended
        else STARTED if past.started_at is not None
        else RECEIVED if past.received_at is not None
        else PENDING
    )  # fmt: skip
    past.state_at = newest_time(past) or task.sent_at
    past.worker = run.worker if past.received_at or past.started_at or ended else None
    past.exception = run.exception if ended else None
    past.traceback = run.traceback if ended else None
    ended_before = runs[number - 1] if number and past.state == RECEIVED else None
    if ended_before is not None and _received_before_its_retry(run, ended_before, at):
        past.state, past.state_at = RETRY, ended_before.finished_at
        past.exception, past.traceback = ended_before.exception, ended_before.traceback
    past.retries = run.number if task.attempts else task.retries
    past.result = past.progress = past.lost_at = past.runtime = None
    if task.extra is not None and (task.extra.revoke_requested_at or 0.0) > at:
        past.set_extra(revoke_requested_at=None, terminate_requested=False)
    past.version = _version(at)
    return past


def _received_before_its_retry(run: Attempt, before: Attempt, at: float) -> bool:
    """Return whether a run was received before the event of the retry, which came by a time.

    A worker sends the message of a retry, and may receive it, before it sends `task-retried`: the
    task stays in RETRY then until it starts.
    """
    if before.state != RETRY or before.finished_at is None or run.received_at is None:
        return False
    return run.received_at <= before.finished_at <= at


def _without_later_signs(task: Task, at: float) -> Task:
    """Return a task of the same state without the loss or progress that came after a time."""
    lost = task.lost_at is not None and task.lost_at > at
    moved = task.progress is not None and not task.finished and task.progress.at > at
    if not lost and not moved:
        return task
    past = copy.copy(task)
    past.version = _version(at)
    past.lost_at = None if lost else task.lost_at
    past.progress = None if moved else task.progress
    return past


def _version(at: float) -> int:
    """Return the version of a row at a time, which no live row and no other time has."""
    return -int(at)


def _present(task: Task) -> Attempt:
    """Return the current run of a task as an attempt."""
    return Attempt(
        task.retries,
        task.state,
        task.worker,
        task.received_at,
        task.started_at,
        task.finished_at if task.finished or task.state == RETRY else None,
        task.exception,
        task.traceback,
    )


def _times(runs: Iterable[Attempt]) -> list[float]:
    """Return all known times of runs."""
    times = []
    for run in runs:
        times += [
            time for time in (run.received_at, run.started_at, run.finished_at) if time is not None
        ]
    return times


def _by_state(tasks: Iterable[Task]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for task in tasks:
        counts[task.state] = counts.get(task.state, 0) + 1
    return counts


def _workers_at(
    workers: Mapping[str, Worker],
    series: SeriesRecorder,
    running: Mapping[str, dict[str, None]],
    at: float,
) -> dict[str, Worker]:
    """Return the workers of that time; those that had not started yet are left out."""
    sampled_at = series.sampled_at(at)
    gone_at = {mark.worker: mark.at for mark in series.marks if mark.kind in GONE and mark.at <= at}
    past = {}
    for name, worker in workers.items():
        recorded = series.workers.series(name)
        busy, slots = (
            None if recorded is None else recorded.at(each, sampled_at)
            for each in ("busy", "slots")
        )
        found = copy.copy(worker)
        found.version = _version(at)
        found.starts = tuple(start for start in worker.starts if start <= at)
        found.active_ids = running.get(name, {})
        found.reserved_ids = found.scheduled_ids = None
        found.processed = _processed_at(worker, recorded, sampled_at)
        found.load, found.rusage = _host_values_at(recorded, sampled_at)
        if busy is not None or name in running:
            found.active = len(found.active_ids) if busy is None else round(busy)
            found.last_seen_at, found.left_at, found.lost_at = at, None, None
            found.unanswered_at = found.stalled_since = found.idle_since = None
            if slots is not None and round(slots) != found.slots:
                found.processes, found.max_processes, found.concurrency = (), None, round(slots)
        elif name in gone_at:
            found.active = 0
            found.last_seen_at = found.lost_at = gone_at[name]
        else:
            continue
        past[name] = found
    return past


def _processed_at(worker: Worker, recorded: TimeSeries | None, at: float) -> int | None:
    """Return how many tasks a worker had accepted; None if unknown, or if it was restarted since.

    Its rate is unknown in the step of a restart.
    """
    if recorded is None or worker.processed is None:
        return None
    step = step_of(at)
    since = STEP * sum(recorded.window("per_s", recorded.newest, recorded.newest - step))
    return None if isnan(since) else max(0, worker.processed - round(since))


def _host_values_at(
    recorded: TimeSeries | None, at: float
) -> tuple[tuple[float, ...] | None, Rusage | None]:
    """Return the load of a worker's host over one minute, and its peak memory, where sampled."""
    load, rss = (None if recorded is None else recorded.at(name, at) for name in ("load", "rss"))
    return (
        None if load is None else (load,),
        None if rss is None else Rusage(rss_bytes=round(rss)),
    )


def _queue_at(
    queue: Queue,
    recorded: TimeSeries | None,
    workers: Mapping[str, Worker],
    at: float,
    sampled_at: float,
) -> Queue:
    past = copy.copy(queue)
    past.version = _version(at)
    past.unacked = past.oldest_age = past.oldest_age_at_least = past.waiting = None
    past.runnable_age = past.runnable_age_at_least = past.due_at = None
    past.unacked_at_least, past.held = None, ()
    past.slots_busy = past.slots_total = past.slots_shared = past.reserved = past.runtime = None
    past.message_bytes = past.statistics_at = None
    past.delayed = None if queue.delayed else queue.delayed
    past.in_per_s = past.out_per_s = past.measured_at = None
    past.by_priority, past.next_since, past.notes = {}, {}, ()
    past.history = deque(maxlen=MAX_DEPTHS_KEPT)
    past.known_consumers = tuple(name for name in queue.known_consumers if name in workers)
    past.receivers = frozenset(past.known_consumers)
    if (past.unconsumed_since or 0.0) > at:
        past.unconsumed_since = None
    if recorded is None:
        return past
    waiting = recorded.at("waiting", sampled_at)
    past.waiting = None if waiting is None else round(waiting)
    past.in_per_s, past.out_per_s = (
        recorded.at(name, sampled_at) for name in ("in_per_s", "out_per_s")
    )
    past.oldest_age_at_least = recorded.at("oldest", sampled_at) or None
    past.runnable_age_at_least = recorded.at("runnable", sampled_at) or None
    past.measured_at = None if waiting is None else at
    step = step_of(at)
    depths = recorded.window("waiting", step, MAX_DEPTHS_KEPT)
    past.history.extend(
        ((step - MAX_DEPTHS_KEPT + 1 + number) * STEP, round(depth))
        for number, depth in enumerate(depths)
        if not isnan(depth)
    )
    return past


def _rates_at(recorded: TimeSeries, at: float) -> Rates:
    """Return the rates before a time, from the sampled ones."""
    rates, step = Rates(), step_of(at)
    count = RATE_SECONDS // STEP
    for name in ("received", "succeeded", "failed", "retried"):
        ring = getattr(rates, name)
        owed = 0.0
        for number, rate in enumerate(recorded.window(name, step, count)):
            if not isnan(rate):
                # Spread over the seconds of the step, so that any window sees its share; what is
                # less than a task is left to the next step. A second early: rates leave out the
                # current one.
                owed += rate * STEP
                tasks, begins = round(owed), (step - count + 1 + number) * STEP - 1
                owed -= tasks
                for second in range(STEP):
                    share = tasks // STEP + (second < tasks % STEP)
                    ring.add(begins + second, share)
    return rates
