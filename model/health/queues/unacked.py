"""Findings on unacknowledged messages on Redis.

A message that is not acknowledged within the visibility timeout is redelivered: late, if its worker
is gone, and too early, if its task has not finished by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...entities.messages.unacked import Unacked
from ...ingest.queues.visibility_timeout import VISIBILITY_TIMEOUT, shortest_timeout
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted, named
from ..finding import Finding

MAX_TASKS: Final = 10
"""Tasks that the evidence names."""
_RAISE_TIMEOUT: Final = (
    "Set visibility_timeout in broker_transport_options, in all workers and clients, to more than "
    "the longest run time and ETA"
)


def unacked_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on held messages of each queue, and on the visibility timeout."""
    abandoned: dict[str, list[Unacked]] = {}
    for held in state.unacked.values():
        if state.is_abandoned(held, now):
            abandoned.setdefault(held.queue or "", []).append(held)
    for queue, messages in abandoned.items():
        yield _abandoned(queue, messages, state, now)
    if state.broker.family == "redis":
        yield from _short_timeout(state, now)


def _abandoned(queue: str, messages: list[Unacked], state: ClusterState, now: float) -> Finding:
    present = [state.workers[name] for name in state.present_workers(now)]
    assumed = shortest_timeout(present, state.broker) is None
    workers = sorted({held.worker for held in messages if held.worker is not None})
    known = all(held.worker is not None for held in messages)
    holders = [state.workers[name] for name in workers if name in state.workers]
    gone = [one.seen_until for one in holders if one.seen_until is not None]
    holder = f"{named(workers)}, now gone" if known else "a worker that is gone"
    first = min((at for held in messages if (at := held.redelivered_at) is not None), default=None)
    text = f"{counted(len(messages), 'unacknowledged message')} held by {holder}"
    if first is not None:
        again = "redelivery is due"
        if first > now:
            again = f"redelivered in {units.duration(int(first - now))}"
        text += f"; {'the first ' if len(messages) > 1 and first > now else ''}{again}"
        text += " by the default visibility timeout" if assumed else ""
    return Finding(
        "unacked-by-dead-worker",
        "warning",
        "queue" if queue else "queues",
        text,
        queue,
        "They wait until then; to run one now, retry its task, and revoke the original"
        if present
        else "Start a worker: it redelivers them then",
        evidence={
            "messages": len(messages),
            "workers": workers,
            "tasks": [held.id for held in messages[:MAX_TASKS]],
            "since_at": min(held.since for held in messages),
            "redelivery_at": first,
            "assumed": assumed,
        },
        since=min(gone, default=None),
        grew_at=max(held.since for held in messages),
        common="unacknowledged messages of a worker that is gone",
    )


def _short_timeout(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding if messages are redelivered while their tasks run or wait for their ETA."""
    present = [state.workers[name] for name in state.present_workers(now)]
    known = shortest_timeout(present, state.broker)
    timeout = known or VISIBILITY_TIMEOUT
    runs = {
        kind.name: kind.runtime.max
        for kind in state.types.values()
        if kind.acks_late and kind.runtime.max is not None and kind.runtime.max > timeout
    }
    waits: dict[str, float] = {}
    for held in state.unacked.values():
        before_eta = 0.0 if held.eta_at is None else held.eta_at - held.since
        if before_eta > max(timeout, waits.get(held.name, 0.0)):
            waits[held.name] = before_eta
    if not runs and not waits:
        return
    parts = []
    if runs:
        name = max(runs, key=runs.__getitem__)
        parts.append(f"{name} runs for up to {units.duration(runs[name])} and acknowledges late")
    if waits:
        name = max(waits, key=waits.__getitem__)
        parts.append(f"{name} was received {units.duration(waits[name])} before its ETA")
    assumed = "" if known is not None else " (the default; the workers' setting is unknown)"
    yield Finding(
        "visibility-timeout-short",
        "warning",
        "tasks",
        f"messages are redelivered after {units.duration(timeout)}{assumed}, but "
        f"{' and '.join(parts)}: such tasks run twice",
        next_step=_RAISE_TIMEOUT,
        evidence={
            "visibility_timeout_s": timeout,
            "assumed": known is None,
            "longest_run_s": max(runs.values(), default=None),
            "longest_eta_s": max(waits.values(), default=None),
            "types": sorted(runs.keys() | waits.keys()),
        },
    )
