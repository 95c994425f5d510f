"""Findings on revoked messages that still wait in their queue.

Workers discard such a message only when they receive it, and keep the revoked ids in memory: if all
of them restart before, without `--statedb`, the task runs.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from ...entities.queue import Queue
from ...entities.states import PENDING
from ...entities.task import Task
from ...operations.commands import Revoke
from ...state import ClusterState
from ...text.phrases import counted
from ..finding import Finding

MAX_LOOKED_AT: Final = 1_000
"""Messages of a queue that are looked at, the next ones first, and tasks of each revoke."""


def revoked_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for each queue in which revoked messages are known to wait."""
    found: dict[str, set[str]] = {}
    for task in _revoked(state, _candidates(state)):
        found.setdefault(task.queue or "", set()).add(task.id)
    for name, ids in found.items():
        queue = state.queues.get(name)
        if queue is not None and queue.waiting:
            yield _finding(queue, min(len(ids), queue.waiting), state)


def _candidates(state: ClusterState) -> Iterator[str]:
    """Yield the tasks of messages that were read in a queue, and those of this session's revokes.

    RabbitMQ's messages cannot be read.
    """
    for queue in state.queues.values():
        if queue.waiting:
            yield from islice(state.messages_in(queue.name), MAX_LOOKED_AT)
    for outcome in state.operations.values():
        if isinstance(outcome.operation, Revoke):
            yield from islice(outcome.targets, MAX_LOOKED_AT)


def _revoked(state: ClusterState, ids: Iterable[str]) -> Iterator[Task]:
    """Yield the tasks that were revoked and have not been received since."""
    for id_ in ids:
        task = state.tasks.get(id_)
        if task is None or not task.queue or task.received_at is not None:
            continue
        if task.revoked_unconfirmed or (task.revoking and task.state == PENDING):
            yield task


def _finding(queue: Queue, number: int, state: ClusterState) -> Finding:
    messages = counted(number, "revoked message")
    text = f"{messages} still {'waits' if number == 1 else 'wait'}; "
    if queue.has_no_consumers:
        text += "no worker receives and discards them"
    else:
        text += "if all workers restart before they receive them, the tasks run"
    step = "Wait until a worker discards them"
    if state.broker.family == "redis":
        step = f"Run celtop purge {shlex.quote(queue.name)} --filter state:revoked,revoking"
    elif queue.has_no_consumers:
        step = "Start a worker for the queue, or purge it"
    return Finding(
        "queue-revoked-messages",
        "info",
        "queue",
        text,
        queue.name,
        step,
        {"revoked": number, "waiting": queue.waiting},
        common="revoked messages waiting",
    )
