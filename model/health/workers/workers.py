"""Findings on workers that are absent, late or stalled, or whose data is limited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ...entities.broker import Listening
from ...entities.clock_skew import MIN_SKEW
from ...entities.worker import OFFLINE_AFTER_HEARTBEATS, Worker
from ...entities.worker_starts import restarts_repeatedly
from ...ingest.tasks.lost_tasks import redelivery_text
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted, named
from ..finding import Finding

SILENT_AFTER: Final = 30.0
"""Seconds without an event after which a worker that replies is silent."""

_SYNCHRONIZE: Final = "Synchronize the clocks, for example with NTP"


def worker_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on each worker."""
    listening, until = state.broker.listening(now), state.broker.observed_until(now)
    yield from _without_events(state, now)
    for worker in state.workers.values():
        status = worker.status(listening)
        # Each of several workers of one name comes online.
        restarts = restarts_repeatedly(worker.starts, until) and not worker.shares_name
        if restarts:
            yield _restarts(worker, until)
        if status == "offline":
            if not restarts or worker.active_ids:
                yield _offline(worker, state, now)
        elif (silent_since := _silent_since(worker, listening)) is not None:
            # Its replies count as signs of life, so that it is late only between them.
            yield _silent(worker, silent_since, until)
        elif status == "late":
            yield _late(worker, until)
        elif worker.stalled_since is not None:
            yield _stalled(worker, until)
        if worker.shares_name:
            yield _shared_name(worker)
    yield from _clock_skews(state, now)


def stall_text(worker: Worker, now: float) -> str:
    """Return what is wrong with a stalled worker."""
    since = worker.idle_since or worker.stalled_since or now
    queues = worker.queues or ()
    names = queues[0].name if len(queues) == 1 else "its queues"
    return f"sends heartbeats, but took no task from {names} for {units.duration(int(now - since))}"


def _without_events(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for all workers that cannot send task events, and for those that do not."""
    present = state.present_workers(now)
    without = [name for name in present if state.workers[name].events_enabled is False]
    unable = [name for name in without if state.workers[name].fact("enable_events").is_failed]
    off = [name for name in without if name not in unable]
    if unable:
        yield _events_finding(
            "workers-without-events",
            f"{_some(unable, present)} cannot send task events",
            "Start them with -E, or without --without-gossip and --without-heartbeat",
            unable,
        )
    if off:
        yield _events_finding(
            "workers-events-off",
            f"task events are off on {_some(off, present)}",
            "Run celtop control enable-events, or start them with -E",
            off,
        )


def _some(names: Sequence[str], present: Sequence[str]) -> str:
    return f"{len(names):,} of {counted(len(present), 'worker')}"


def _events_finding(code: str, text: str, next_step: str, names: Sequence[str]) -> Finding:
    return Finding(
        code,
        "warning",
        "workers",
        f"{text}: short tasks are missed, and rates are unknown ({named(names)})",
        next_step=next_step,
        evidence={"workers": names},
        incomplete=True,
    )


def _offline(worker: Worker, state: ClusterState, now: float) -> Finding:
    left = worker.left_at is not None
    gone = units.elapsed(worker.seen_until, now)
    running = len(worker.active_ids)
    text = f"{'shut down' if left else 'lost'} {gone} ago"
    if running and left:  # in a warm shutdown, they go on
        text += f", {counted(running, 'task')} had not finished"
    elif running:
        text += f", {worker.running_when_lost}"
    held = (*worker.active_ids, *(worker.reserved_ids or ()), *(worker.scheduled_ids or ()))
    tasks = [state.tasks[id_] for id_ in held if id_ in state.tasks]
    again = [at for task in tasks if (at := state.redelivery_at(task)) is not None]
    if again:
        text += f"; {counted(len(again), 'message')} will be {redelivery_text(min(again), now)}"
    return Finding(
        "worker-offline" if left else "worker-lost",
        "error" if running or not left else "warning",
        "worker",
        text,
        worker.name,
        "Start again if that was not intended" if left else "Check process and log",
        {
            "last_seen_at": worker.last_seen_at,
            "running": running,
            "redelivered": len(again),
            "redelivery_at": min(again, default=None),
        },
        since=worker.seen_until,
        common="shut down" if left else "lost",
    )


def _restarts(worker: Worker, now: float) -> Finding:
    starts = worker.starts
    period = units.duration(int(starts[-1] - starts[0]))
    ago = units.elapsed(starts[-1], now)
    text = f"came online {len(starts):,} times in {period}, the last time {ago} ago"
    return Finding(
        "worker-restarts", "error", "worker", text, worker.name,
        "Check its log: it ends, or loses its connection to the broker",
        {"starts": len(starts), "started_at": starts[-1]}, common="restarts repeatedly",
    )  # fmt: skip


def _late(worker: Worker, now: float) -> Finding:
    text = f"no {worker.sign_of_life} for {units.age(worker.last_seen_at, now)}"
    if worker.pool == "solo":
        text += " (a solo pool sends none while it runs a task)"
    evidence = {"last_seen_at": worker.last_seen_at}
    return Finding(
        "worker-late", "warning", "worker", text, worker.name,
        "Wait; if it does not return, check process and log", evidence,
        since=worker.last_seen_at, common=f"no {worker.sign_of_life}",
    )  # fmt: skip


def _stalled(worker: Worker, now: float) -> Finding:
    evidence = {"stalled_since": worker.stalled_since}
    text = stall_text(worker, now)
    next_step = "Check its log, and restart it if it does not recover"
    return Finding(
        "worker-stalled", "error", "worker", text, worker.name, next_step, evidence,
        since=worker.idle_since or worker.stalled_since, common="not taking tasks",
    )  # fmt: skip


def _silent_since(worker: Worker, listening: Listening) -> float | None:
    """Return since when a worker replies but sends no heartbeats; None if that is not certain."""
    skew = worker.clock_skew
    # A solo pool sends nothing while it runs a task, and then replies first.
    if not worker.sends_heartbeats or skew is None or worker.pool == "solo":
        return None
    silent_since = max(worker.newest_event_at - skew, listening.since)
    needed = max(SILENT_AFTER, OFFLINE_AFTER_HEARTBEATS * worker.frequency)
    # Events of others, or a proof of the connection, show that its own would have arrived.
    if listening.until - silent_since <= needed:
        return None
    replied_at = worker.inspected_at
    return silent_since if replied_at and replied_at - silent_since >= needed else None


def _silent(worker: Worker, since: float, now: float) -> Finding:
    return Finding(
        "worker-silent",
        "error",
        "worker",
        f"replies to remote control, but has sent no event for {units.age(since, now)}",
        worker.name,
        "Restart it: its states and counts are out of date, and it may not take tasks",
        {"last_event_at": since, "replied_at": worker.inspected_at},
        since=since,
        common="sends no events",
        incomplete=True,
    )


def _shared_name(worker: Worker) -> Finding:
    pids = sorted(worker.pids)
    number = str(len(pids)) if len(pids) > 1 else "several"
    label = "PIDs" if len(pids) > 1 else "all with PID"
    text = f"{number} workers have this name ({label} {named([str(pid) for pid in pids])}): "
    text += "their data is mixed up, and operations reach all of them"
    next_step = "Start each with its own name, for example -n worker2@%h"
    evidence = {"pids": pids}
    return Finding(
        "worker-shared-name", "error", "worker", text, worker.name, next_step, evidence,
        common="name shared by several workers", incomplete=True,
    )  # fmt: skip


def _clock_skews(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for each worker with a wrong clock, or one if it is this host's clock.

    It is this host's if the clocks of all workers, on several hosts, agree with each other.
    """
    skews = {
        name: skew
        for name in state.present_workers(now)
        if (skew := state.workers[name].clock_skew) is not None
    }
    hosts = {name.rpartition("@")[2] for name in skews}
    agree = max(skews.values(), default=0.0) - min(skews.values(), default=0.0) < MIN_SKEW
    if len(hosts) > 1 and agree and all(abs(skew) > MIN_SKEW for skew in skews.values()):
        skew = min(skews.values(), key=abs)
        way = "behind" if skew > 0 else "ahead of"
        yield Finding(
            "local-clock-skew",
            "warning",
            "workers",
            f"this host's clock is {units.duration(abs(skew))} {way} the clocks of all "
            f"{len(skews):,} workers",
            next_step=_SYNCHRONIZE,
            evidence={"clock_skew_s": skew},
        )
        return
    for name, skew in skews.items():
        if abs(skew) > MIN_SKEW:
            yield _skewed(name, skew)


def _skewed(worker: str, skew: float) -> Finding:
    way = "ahead of" if skew > 0 else "behind"
    return Finding(
        "worker-clock-skew",
        "warning",
        "worker",
        f"clock is {units.duration(abs(skew))} {way} this host's",
        worker,
        _SYNCHRONIZE,
        evidence={"clock_skew_s": skew},
        common="clock is off",
    )
