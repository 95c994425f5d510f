"""Why a task or queue does not move: the finding on it, or its place and how long it takes.

An answer follows from replies and events alone. What is unknown is named as such.
"""

from __future__ import annotations

import msgspec

from ..entities.task import Task
from ..health.finding import Finding
from ..health.findings import findings
from ..state import ClusterState
from .answer import Answer, Evidence
from .capacity import capacity
from .queue import queue_evidence, why_queue
from .task import task_evidence, why_task


def why(state: ClusterState, name: str, now: float) -> Answer | None:
    """Return the answer for a task id or a queue's name; None if it is neither.

    Args:
        state: The model.
        name: A task id, or otherwise the name of a queue.
        now: The local time, epoch seconds.
    """
    task, queue = state.tasks.get(name), state.queues.get(name)
    if task is not None:
        related = _related(state, now, task)
        answer = why_task(task, state, now, related)
        evidence = answer.evidence or tuple(task_evidence(task, state, now))
    elif queue is not None:
        related = _related(state, now, queue=name)
        answer = why_queue(queue, state, now, related)
        evidence = tuple(queue_evidence(queue, state, capacity(queue, state, now), now))
    else:
        return None
    connection = _connection(state)
    evidence = (*connection, *evidence)
    return msgspec.structs.replace(answer, evidence=evidence, findings=related)


def _related(
    state: ClusterState, now: float, task: Task | None = None, queue: str | None = None
) -> tuple[Finding, ...]:
    """Return the findings on a task with its type, worker and queue, or on a queue."""
    subjects = {("queue", queue)}
    if task is not None:
        subjects = {("task", task.id), ("type", task.name), ("worker", task.worker)}
        if not task.finished:
            subjects.add(("queue", task.queue))
    return tuple(
        one
        for one in findings(state, now)
        if (one.kind, one.name) in subjects
        or (one.kind == "broker" and one.severity == "error" and not (task and task.finished))
    )


def _connection(state: ClusterState) -> tuple[Evidence, ...]:
    broker = state.broker
    if broker.phase == "lost" and broker.fault is not None:
        text = f"the connection to the broker is lost: {broker.fault.problem}"
        return (Evidence(text, broker.lost_at),)
    return ()
