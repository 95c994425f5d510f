"""Asking before workers are limited, made to talk or be silent, or ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from ..entities.worker import UNLIMITED, Limits
from ..operations.commands import (
    DisableEvents,
    Drain,
    EnableEvents,
    Heartbeat,
    Ping,
    RateLimit,
    Shutdown,
    TimeLimit,
    WorkerOperation,
)
from ..text import units
from ..text.phrases import counted, named
from .confirmation import NOBODY, Confirmation, listed, typed_count, worker_line

if TYPE_CHECKING:
    from ..state import ClusterState

TIMELESS_POOLS: Final = frozenset({"threads", "solo", "eventlet"})
NOBODY_STARTS: Final = "celtop cannot start them again: nobody does, unless your supervisor does"


def rate_limit(command: RateLimit, state: ClusterState, now: float) -> Confirmation:
    """Ask before a task type's rate is limited."""
    after = rate_text(command.rate)
    lines = []
    for name in command.workers:
        limits = _limits(state, name, command.task)
        before = units.UNKNOWN if limits is None else rate_text(limits.rate)
        lines.append(f"{name}: {before} -> {after}")
    effects = [
        "Each worker counts for itself: the cluster's rate is that of all of them together",
        "It holds until the worker restarts; tasks over the limit wait inside the worker",
    ]
    return _limiting(
        command, command.task, f"Limit {command.task} to {after}", lines, effects, state
    )


def time_limit(command: TimeLimit, state: ClusterState, now: float) -> Confirmation:
    """Ask before a task type's time is limited; both limits are shown, since both are set."""
    lines = []
    after = Limits(soft=command.soft, hard=command.hard)
    for name in command.workers:
        limits = _limits(state, name, command.task)
        soft, hard = (units.UNKNOWN,) * 2 if limits is None else _times(limits)
        lines.append(
            f"{name}: soft {soft} -> {_times(after)[0]}, hard {hard} -> {_times(after)[1]}"
        )
    effects = [
        "Soft and hard limit are set together; none is the worker's own --time-limit",
        "Celery goes by it once the pool was restarted, or the worker has connected anew",
    ]
    title = f"Limit the time of {command.task}"
    asked = _limiting(command, command.task, title, lines, effects, state)
    if heedless := _heedless(command, state):
        asked = msgspec.structs.replace(asked, caveats=(*asked.caveats, *heedless))
    if asked.refusal is None and command.soft and command.hard and command.soft >= command.hard:
        why = "the soft limit must be shorter than the hard one: else it never comes to pass"
        return _refused(asked, why)
    return asked


def ping(command: Ping, state: ClusterState, now: float) -> Confirmation:
    """Ask before workers are asked whether they are there."""
    return _plain(
        command, "Ping", "Ping", ("They answer at once; solo when its task is over",), state
    )


def heartbeat(command: Heartbeat, state: ClusterState, now: float) -> Confirmation:
    """Ask before workers are told to beat."""
    effects = ("Each sends one heartbeat event now: that it is heard is the answer",)
    return _plain(command, "Heartbeat", "Ask for a heartbeat of", effects, state)


def enable_events(command: EnableEvents, state: ClusterState, now: float) -> Confirmation:
    """Ask before workers are made to send events."""
    effects = ("They tell of each task from now on: some load for them and for the broker",)
    return _plain(command, "Enable", "Enable events of", effects, state)


def disable_events(command: DisableEvents, state: ClusterState, now: float) -> Confirmation:
    """Ask before workers are made to send no events."""
    asked = _plain(
        command,
        "Disable",
        "Disable events of",
        (
            "Every monitor goes blind, also those of other people: tasks are no longer seen to "
            "arrive, start or end",
        ),
        state,
        ("Heartbeats go on; tasks go on",),
    )
    return _grave(asked, asked.must_type)


def shutdown(command: Shutdown, state: ClusterState, now: float) -> Confirmation:
    """Ask before workers are ended."""
    running = sum(len(state.workers[name].active_ids) for name in _known(command, state))
    held = f" ({counted(running, 'task')} now)" if running else ""
    asked = _plain(
        command,
        "Shut down",
        "Shut down",
        (
            f"What they run ends first{held}; what they hold besides goes back to the queue",
            "They do not answer: that they say good-bye confirms it",
        ),
        state,
        (
            NOBODY_STARTS,
            *_last(command, state),
        ),
    )
    return _grave(asked, _word(command, "shutdown"))


def drain(command: Drain, state: ClusterState, now: float) -> Confirmation:
    """Ask before workers are emptied and ended."""
    asked = _plain(
        command,
        "Drain",
        "Drain",
        (
            "They stop consuming, finish what they have, and are shut down when nothing runs there "
            "any more",
            "Until then it can be taken back: they consume again what they consumed",
        ),
        state,
        (
            "Tasks that wait there for their ETA are not waited for: they go back to their queue",
            "celtop has to stay open until it is over; if it ends before, resume the queues",
            NOBODY_STARTS,
            *_last(command, state),
        ),
    )
    return _grave(asked, _word(command, "drain"), False)


def rate_text(rate: str | None) -> str:
    """Return a rate limit as people read it: `10/m`, or `no limit`."""
    return "no limit" if rate is None or not rate.rstrip("/smh").strip("0.") else rate


def _limiting(
    command: WorkerOperation,
    task: str,
    title: str,
    lines: list[str],
    effects: list[str],
    state: ClusterState,
) -> Confirmation:
    strangers = [
        name
        for name in _known(command, state)
        if (names := state.workers[name].registered) is not None and task not in names
    ]
    caveats = (
        [f"{named(strangers)} will refuse: {task} is not registered there"] if strangers else []
    )
    refusal = None if command.workers else NOBODY
    if not task:
        refusal = "no task type is named"
    elif refusal is None and len(strangers) == len(command.workers):
        refusal = f"{task} is not registered in {named(strangers)}"
    return Confirmation(
        "Limit",
        f"{title} in {_who(command.workers)}",
        listed(lines),
        tuple(effects),
        tuple(caveats),
        command.workers,
        typed_count(len(command.workers)),
        refusal=refusal,
    )


def _plain(
    command: WorkerOperation,
    verb: str,
    title: str,
    effects: tuple[str, ...],
    state: ClusterState,
    caveats: tuple[str, ...] = (),
) -> Confirmation:
    return Confirmation(
        verb,
        f"{title} {_who(command.workers)}",
        listed([worker_line(state, name) for name in command.workers]),
        effects,
        caveats,
        command.workers,
        typed_count(len(command.workers)),
        refusal=None if command.workers else NOBODY,
    )


def _grave(asked: Confirmation, must_type: str | None, destructive: bool = True) -> Confirmation:
    return msgspec.structs.replace(asked, must_type=must_type, destructive=destructive)


def _refused(asked: Confirmation, why: str) -> Confirmation:
    return msgspec.structs.replace(asked, refusal=why)


def _word(command: WorkerOperation, word: str) -> str:
    return word if len(command.workers) <= 1 else str(len(command.workers))


def _last(command: WorkerOperation, state: ClusterState) -> tuple[str, ...]:
    """Return a line about the queues that nobody is left to consume."""
    going = set(command.workers)
    left = sorted(
        queue.name
        for queue in state.queues.values()
        if queue.consumers and going.issuperset(queue.consumers)
    )
    return (f"Nobody else consumes {named(left)}: tasks wait there",) if left else ()


def _known(command: WorkerOperation, state: ClusterState) -> list[str]:
    return [name for name in command.workers if name in state.workers]


def _limits(state: ClusterState, name: str, task: str) -> Limits | None:
    worker = state.workers.get(name)
    if worker is None or worker.initial_limits is None:
        return None
    return worker.limits.get(task, UNLIMITED)


def _heedless(command: TimeLimit, state: ClusterState) -> list[str]:
    """Return lines about the pools that take a time limit and do not enforce it."""
    known = [state.workers[name] for name in _known(command, state)]
    none = [worker.name for worker in known if worker.pool in TIMELESS_POOLS]
    lines = []
    if none:
        lines.append(f"{named(none)}: threads, solo and eventlet pools enforce no time limits")
    if command.soft is not None and any(worker.pool == "gevent" for worker in known):
        lines.append("gevent pools enforce only the hard limit")
    return lines


def _times(limits: Limits) -> tuple[str, str]:
    return (
        "none" if limits.soft is None else units.duration(limits.soft),
        "none" if limits.hard is None else units.duration(limits.hard),
    )


def _who(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else counted(len(names), "worker")
