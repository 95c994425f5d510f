"""Findings on queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from ...entities.cluster.other_cluster import OtherCluster
from ...entities.messages.delayed import delayed_route
from ...entities.queue import Queue
from ...entities.states import PENDING
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted, named
from ..finding import Finding
from ..newness import backlog_grew_at
from .registrations import registered_by

MAX_EXPLAINED: Final = 50
"""Queues without consumers above which they are not compared with others; nor with more than:"""
MAX_COMPARED: Final = 200
MAX_QUEUES_NAMED: Final = 2
"""Queues of the workers that register a task above which none of them is suggested."""
MAX_CLUSTERS: Final = 3
"""Other clusters that a finding names; the rest are counted."""
SIMILAR: Final = 0.74
"""The ratio of `difflib` from which on two names are similar."""


def queue_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for each queue that needs attention."""
    unattended: list[Queue] = []
    for queue in state.queues.values():
        if queue.paused and not queue.has_consumers:
            yield _paused(queue, now)
        elif queue.unattended:
            unattended.append(queue)
    if any(queue.missing_since is not None for queue in state.queues.values()):
        yield from _missing(state)
    consumed = tuple(sorted(one.name for one in state.queues.values() if one.has_consumers))
    explained = len(unattended) <= MAX_EXPLAINED and len(consumed) <= MAX_COMPARED
    for queue in unattended:
        yield _unattended(queue, consumed if explained else (), state, now)
    if state.queues_left_out:
        yield _left_out(state.queues_left_out)
    if state.other_clusters and not state.present_workers(now):
        yield _other_clusters(state.other_clusters)


def _unattended(
    queue: Queue, consumed: tuple[str, ...], state: ClusterState, now: float
) -> Finding:
    """Return the finding on a queue without consumers, given those that have some."""
    next_step = "Start a worker for it, or add a consumer"
    evidence: dict[str, Any] = {"waiting": queue.waiting, "measured_at": queue.measured_at}
    task = queue.next_names[0] if queue.next_names and consumed else ""
    elsewhere = registered_by(task, state, now) if task else {}
    queues = sorted({name for names in elsewhere.values() for name in names})
    similar = similar_name(queue.name, consumed) if consumed else None
    if similar is not None:
        evidence["similar_queue"] = similar
        next_step = f"Check its name: {similar} has consumers. Otherwise start a worker for it"
    elif 0 < len(queues) <= MAX_QUEUES_NAMED:
        evidence |= {"task": task, "registered_by": list(elsewhere), "their_queues": queues}
        next_step += f"; or route {task} to {' or '.join(queues)}, whose workers register it"
    text = f"{counted(queue.waiting or 0, 'message')} waiting, no consumers"
    since = filled = queue.filled_since(now)
    if queue.unconsumed_since is not None:
        evidence["unconsumed_since_at"] = queue.unconsumed_since
        since = max(filled, queue.unconsumed_since)
        if queue.consumed_at is not None:
            text += f"; the last consumer left {units.ago(queue.unconsumed_since, now)}"
    return Finding(
        "queue-without-consumers",
        "error",
        "queue",
        text,
        queue.name,
        next_step,
        evidence,
        since=since,
        grew_at=backlog_grew_at(queue),
        common="no consumers",
    )


def _missing(state: ClusterState) -> Iterator[Finding]:
    """Yield a finding for each queue that does not exist, and did not when tasks were sent to it.

    A client that has declared a queue does not do so again while it is connected; RabbitMQ drops
    its messages without an error.
    """
    sent: dict[str, list[float]] = {}
    for task in state.tasks.values():
        if task.state != PENDING or task.sent_at is None:
            continue
        if task.extra is not None and delayed_route(task.extra.routing_key) is not None:
            continue  # it waits elsewhere
        queue = state.queues.get(task.queue or "")
        if queue is None or queue.missing_since is None:
            continue
        # Since the last look it may have been declared.
        if queue.missing_since < task.sent_at < (queue.measured_at or 0.0):
            sent.setdefault(queue.name, []).append(task.sent_at)
    for name, times in sent.items():
        yield Finding(
            "queue-missing",
            "error",
            "queue",
            "no queue of this name on the broker; "
            f"{counted(len(times), 'pending task')} sent to it",
            name,
            "Restart a worker of the queue, or the senders: they declare it when they connect. "
            "Then send the tasks again",
            {"tasks": len(times), "missing_since_at": state.queues[name].missing_since},
            since=min(times),
            grew_at=max(times),
            common="no queue of this name",
        )


@lru_cache(maxsize=4 * MAX_EXPLAINED)
def similar_name(name: str, names: tuple[str, ...]) -> str | None:
    """Return the name among others that is most probably the same one misspelled."""
    from difflib import get_close_matches  # a healthy cluster needs none of it

    return next(iter(get_close_matches(name, names, 1, SIMILAR)), None)


def _paused(queue: Queue, now: float) -> Finding:
    pause = queue.pause
    assert pause is not None
    resume = f"with celtop control resume {queue.name}"
    next_step = f"Resume it on the screen (undo), or {resume}"
    text = "paused"
    if pause.drained:
        text = f"no consumers: {named(pause.workers)} drained"
        next_step = f"Start another worker for it, or undo the drain on the screen or {resume}"
    if pause.by:
        text += f" by {pause.by}"
    if pause.at is not None:
        text += f" {units.elapsed(pause.at, now)} ago"
    waiting = "unknown" if queue.waiting is None else counted(queue.waiting, "message")
    return Finding(
        "queue-paused",
        "warning",
        "queue",
        f"{text}; waiting: {waiting}",
        queue.name,
        next_step,
        evidence={"waiting": queue.waiting, "paused_at": pause.at, "paused_by": pause.by},
        since=pause.at,
        common="paused",
    )


def _left_out(queues: Mapping[str, int | None]) -> Finding:
    waiting = sum(depth or 0 for depth in queues.values())
    return Finding(
        "queues-left-out",
        "warning",
        "queues",
        f"{counted(len(queues), 'more queue')} with {counted(waiting, 'message')} waiting not "
        "listed: too many queues",
        next_step="Check whether queues are created per task or per client, and never deleted",
        evidence={"queues": len(queues), "waiting": waiting},
        incomplete=True,
    )


def _other_clusters(clusters: Sequence[OtherCluster]) -> Finding:
    """Return the finding on clusters that are there if the settings are changed."""
    traces = [
        f"{one.trace} from {named(one.workers)}" if one.workers else one.trace for one in clusters
    ]
    more = len(clusters) - MAX_CLUSTERS
    shown = [*traces[:MAX_CLUSTERS], *([f"{more:,} more"] if more > 0 else [])]
    # Keys in another database may belong to anything, and may be old.
    likely = any(one.workers or one.same_database for one in clusters)
    which = "that cluster" if len(clusters) == 1 else "one of them"
    return Finding(
        "other-clusters",
        "warning" if likely else "info",
        "workers",
        f"no worker found, but traces of another configuration: {'; '.join(shown)}",
        next_step=f"To monitor {which}, "
        + "; or ".join(one.remedy for one in clusters[:MAX_CLUSTERS]),
        evidence={"traces": traces},
        incomplete=likely,
    )
