"""Confirmations of worker commands: limits, events, heartbeats and shutdowns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..entities.worker import UNLIMITED, Limits
from ..operations.commands import (
    DisableEvents,
    Drain,
    EnableEvents,
    Heartbeat,
    Memdump,
    Ping,
    RateLimit,
    Report,
    Shutdown,
    TimeLimit,
    WorkerOperation,
)
from ..operations.outcome import Outcome
from ..state import ClusterState
from ..text import units
from ..text.phrases import named
from .confirmation import UNTIL_RESTART, Confirmation, confirm, describe, listed, worker_lines

NO_TIME_LIMIT_POOLS: Final = frozenset({"threads", "solo", "eventlet"})
"""Pools that do not enforce time limits."""
NOT_STARTED_AGAIN: Final = "celtop cannot start workers; use your process supervisor"


@confirm.register
def rate_limit(operation: RateLimit, state: ClusterState, now: float) -> Confirmation:
    """Confirm limiting the rate of a task type."""
    lines = []
    for name in operation.workers:
        limits = _limits(state, name, operation.task)
        before = units.UNKNOWN if limits is None else rate_text(limits.rate)
        lines.append(f"{name}: {before} -> {rate_text(operation.rate)}")
    effects = [
        "The limit applies to each worker; the cluster's rate is the sum of all",
        "Tasks over the limit wait in the worker",
        UNTIL_RESTART,
    ]
    return _limiting(operation, lines, effects, state)


@confirm.register
def time_limit(operation: TimeLimit, state: ClusterState, now: float) -> Confirmation:
    """Confirm limiting the run time of a task type; both limits are set, so both are shown."""
    lines = []
    soft_after, hard_after = _durations(Limits(soft=operation.soft, hard=operation.hard))
    for name in operation.workers:
        limits = _limits(state, name, operation.task)
        soft, hard = (units.UNKNOWN,) * 2 if limits is None else _durations(limits)
        lines.append(f"{name}: soft {soft} -> {soft_after}, hard {hard} -> {hard_after}")
    effects = [
        "Both limits are set; without one, the worker's own --time-limit applies",
        "They take effect when the pool restarts or the worker reconnects",
    ]
    refusal = None
    if operation.soft and operation.hard and operation.soft >= operation.hard:
        refusal = "the soft limit must be shorter than the hard limit"
    warnings = _not_enforced(operation, state)
    return _limiting(operation, lines, effects, state, warnings, refusal)


@confirm.register
def harmless(
    operation: Ping | Report | Memdump | Heartbeat | EnableEvents, state: ClusterState, now: float
) -> Confirmation:
    """Confirm an operation with one effect; read-only ones are only described, for dry runs."""
    effect = "Workers reply immediately; a solo worker replies after its current task"
    if isinstance(operation, Heartbeat):
        effect = "Each worker sends a heartbeat event now; there is no other reply"
    elif isinstance(operation, EnableEvents):
        effect = "Workers send events for every task, which adds load on them and on the broker"
    return describe(operation, worker_lines(state, operation.workers), [effect])


@confirm.register
def disable_events(operation: DisableEvents, state: ClusterState, now: float) -> Confirmation:
    """Confirm disabling task events."""
    return describe(
        operation,
        worker_lines(state, operation.workers),
        ["Monitors no longer receive task events from these workers"],
        ["Heartbeats and tasks continue"],
        destructive=True,
    )


@confirm.register
def shutdown(operation: Shutdown, state: ClusterState, now: float) -> Confirmation:
    """Confirm a warm shutdown."""
    running = [state.workers[name].running for name in _known(operation, state)]
    known = sum(number for number in running if number is not None)
    least = "at least " if None in running else ""
    count = f" ({least}{known:,} now)" if known or least else ""
    return describe(
        operation,
        worker_lines(state, operation.workers),
        [
            f"Running tasks{count} finish first; other received tasks return to the queue",
            "Workers send no reply; their worker-offline event counts as confirmation",
        ],
        [NOT_STARTED_AGAIN],
        warnings=_last_consumers(operation, state),
        must_type=_word_or_count(operation, "shutdown"),
        destructive=True,
    )


@confirm.register
def drain(operation: Drain, state: ClusterState, now: float) -> Confirmation:
    """Confirm draining workers."""
    warnings = _last_consumers(operation, state)
    several = len(operation.workers) > 1
    return describe(
        operation,
        worker_lines(state, operation.workers),
        [
            "Workers stop consuming, finish received tasks, then shut down",
            "Until then, the drain can be cancelled: workers consume their queues again",
        ],
        [
            "Tasks waiting for their ETA are not finished; they return to their queue",
            "celtop must keep running until then; if it exits earlier, use `celtop control resume`",
            NOT_STARTED_AGAIN,
        ],
        warnings=warnings,
        # No task is lost, and it can be cancelled; but a queue may be left without consumers.
        must_type=_word_or_count(operation, "drain") if several or warnings else "",
    )


def undo_drain(outcome: Outcome, state: ClusterState) -> Confirmation:
    """Confirm cancelling a drain, which undoes it; `outcome` is that of the drain so far."""
    title = f"Undo draining {outcome.operation.phrase().object}"
    left = [name for name in outcome.operation.expected_workers if name not in outcome.workers]
    return Confirmation(
        verb="Undo",
        title=title,
        targets=worker_lines(state, left),
        effects=("Workers consume their queues again, as before",),
        caveats=("A worker that has been sent its shutdown shuts down",),
        refusal="the drain has ended" if outcome.ended or not left else None,
    )


def rate_text(rate: str | None) -> str:
    """Return a rate limit for display: `10/m`, or `no limit`."""
    return "no limit" if rate is None or not rate.rstrip("/smh").strip("0.") else rate


def _limiting(
    operation: RateLimit | TimeLimit,
    lines: Sequence[str],
    effects: Sequence[str],
    state: ClusterState,
    warnings: Sequence[str] = (),
    refusal: str | None = None,
) -> Confirmation:
    task = operation.task
    unregistered = [
        name
        for name in _known(operation, state)
        if (names := state.workers[name].registered) is not None and task not in names
    ]
    if not task:
        refusal = "no task type is given"
    elif len(unregistered) == len(operation.workers):
        refusal = f"{task} is not registered on {named(unregistered)}"
    caveats = (
        [f"{named(unregistered)} will refuse: {task} is not registered there"]
        if unregistered
        else []
    )
    return describe(operation, listed(lines), effects, caveats, warnings=warnings, refusal=refusal)


def _last_consumers(operation: WorkerOperation, state: ClusterState) -> list[str]:
    """Return a warning about the queues that no other worker consumes."""
    leaving = set(operation.workers)
    queues = [
        queue
        for _, queue in sorted(state.queues.items())
        if queue.known_consumers and leaving.issuperset(queue.known_consumers)
    ]
    lines = []
    if names := [queue.name for queue in queues if queue.consumers is not None]:
        lines.append(f"No other worker consumes {named(names)}; tasks will wait there")
    if names := [queue.name for queue in queues if queue.consumers is None]:
        lines.append(f"It is unknown whether another worker consumes {named(names)}")
    return lines


def _word_or_count(operation: WorkerOperation, word: str) -> str:
    number = len(operation.workers)
    return str(number) if number > 1 else word


def _known(operation: WorkerOperation, state: ClusterState) -> list[str]:
    return [name for name in operation.workers if name in state.workers]


def _limits(state: ClusterState, name: str, task: str) -> Limits | None:
    worker = state.workers.get(name)
    if worker is None or worker.initial_limits is None:
        return None
    return worker.limits.get(task, UNLIMITED)


def _not_enforced(operation: TimeLimit, state: ClusterState) -> list[str]:
    """Return warnings about the pools that accept a time limit without enforcing it."""
    known = [state.workers[name] for name in _known(operation, state)]
    lines = []
    if names := [worker.name for worker in known if worker.pool in NO_TIME_LIMIT_POOLS]:
        lines.append(f"{named(names)}: threads, solo and eventlet pools enforce no time limits")
    if operation.soft is not None and any(worker.pool == "gevent" for worker in known):
        lines.append("gevent pools enforce only the hard limit")
    return lines


def _durations(limits: Limits) -> tuple[str, str]:
    return (
        "none" if limits.soft is None else units.duration(limits.soft),
        "none" if limits.hard is None else units.duration(limits.hard),
    )
