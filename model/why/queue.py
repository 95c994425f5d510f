"""Why a queue does not move, or how fast it does."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf
from typing import Final

from ..entities.queue import Queue
from ..health.finding import Finding
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted, named, short_id
from .answer import Answer, Evidence
from .capacity import Capacity, capacity

MAX_RUNNING_SHOWN: Final = 3
"""Running tasks that are listed as evidence, the longest first."""


def why_queue(
    queue: Queue, state: ClusterState, now: float, related: tuple[Finding, ...]
) -> Answer:
    """Return why messages wait in a queue, or that none does.

    Args:
        queue: The queue.
        state: The model.
        now: The local time, epoch seconds.
        related: The findings on the queue and the broker, the worst first.
    """
    places = capacity(queue, state, now)
    found = next((one for one in related if _explains(one, queue)), None)
    if found is not None:
        return Answer.of_finding("queue", queue.name, found)
    code, text, next_step = _reason(queue, state, places, now)
    return Answer(code, "queue", queue.name, text, next_step=next_step)


def blocks(finding: Finding) -> bool:
    """Return whether messages wait because of a finding on the broker or on their queue."""
    if finding.severity == "error":
        return finding.kind == "broker" or finding.code.startswith("queue-")
    return finding.code == "queue-paused"


def _explains(finding: Finding, queue: Queue) -> bool:
    if not queue.waiting:
        return blocks(finding) or finding.code == "unacked-by-dead-worker"
    return blocks(finding) or finding.code in ("queue-full", "queue-growing")


def _reason(
    queue: Queue, state: ClusterState, places: Capacity, now: float
) -> tuple[str, str, str]:
    """Return the code, the text and the next step."""
    waiting, consumers = queue.waiting, queue.consumers
    if waiting is None:
        reason = next(iter(queue.notes), "") or queue.fact("depth").reason
        return "depth-unknown", f"its depth is unknown: {reason}", ""
    if not waiting:
        text = "no message is waiting"
        if queue.unacked:
            text += f"; workers hold {counted(queue.unacked, 'message')} from it"
        if queue.delayed:
            text += f"; {counted(queue.delayed, 'message')} for it in delayed delivery"
        return "empty", text, ""
    messages = f"{counted(waiting, 'message')} waiting"
    if not places.workers and not queue.has_consumers:
        if consumers is None:
            reason = queue.fact("consumers").reason or "the broker's count does not match"
            return "consumers-unknown", f"{messages}; its consumers are unknown: {reason}", ""
        return "queue-without-consumers", f"{messages}, no consumers", "Start a worker for it"
    if queue.out_per_s:
        return _moving(queue, messages, places)
    if places.is_full:
        text = f"{messages}; all {counted(places.slots, 'slot')} of its consumers are busy"
        return "consumers-full", text, "Add pool processes or workers, or wait for running tasks"
    limited = [one.name for one in places.workers if one.limited_ids]
    if limited:
        text = f"{messages}; {named(limited)} holds tasks back by their rate limit"
        return "rate-limit", text, "Raise the rate limit of the task type"
    if (change := _change(queue)) is not None and change < 0:
        return "moving", f"it moves: {messages}, {-change:,} fewer than before", ""
    if queue.out_per_s is None:
        reason = next((note for note in queue.notes if note.startswith("rates")), "")
        reason = reason or "rates unknown: too few measurements yet"
        return "rates-unknown", f"{messages}; {reason}", ""
    return (
        "not-moving",
        f"{messages}; {named(queue.known_consumers)} can take tasks, but received none of them "
        "in the last minute",
        "Check the logs of its workers",
    )


def _moving(queue: Queue, messages: str, places: Capacity) -> tuple[str, str, str]:
    rates = f"{units.rate(queue.out_per_s)} received, {units.rate(queue.in_per_s)} added"
    drain = queue.drain
    if drain is None:
        return "moving", f"it moves: {messages}, {rates}", ""
    if isinf(drain):
        step = "Add pool processes or workers" if places.is_full else ""
        return "growing", f"it moves, but does not become empty: {messages}, {rates}", step
    return "moving", f"it moves: {messages}, {rates}, empty in {units.duration(drain)}", ""


def _change(queue: Queue) -> int | None:
    """Return how the depth changed between the latest two measurements; None if it is unknown."""
    if len(queue.history) < 2:
        return None
    return queue.history[-1][1] - queue.history[-2][1]


def queue_evidence(
    queue: Queue, state: ClusterState, places: Capacity, now: float
) -> Iterator[Evidence]:
    """Yield what is known about a queue and its consumers."""
    if queue.waiting is not None:
        text = f"{counted(queue.waiting, 'message')} waiting"
        steps = [f"{step}: {n:,}" for step, n in queue.by_priority.items() if n]
        if len(steps) > 1:
            text += f" (by priority {', '.join(steps)})"
        if queue.unacked is not None:
            text += f", {queue.unacked:,} unacknowledged"
        yield Evidence(text, queue.measured_at)
    if queue.delayed:
        text = f"{counted(queue.delayed, 'message')} for it in delayed delivery"
        yield Evidence(text, queue.measured_at)
    if queue.waiting and queue.oldest_age is not None:
        yield Evidence(f"oldest message: {units.duration(queue.oldest_age)}", queue.measured_at)
    elif queue.waiting and queue.oldest_age_at_least is not None:
        age = units.duration(queue.oldest_age_at_least)
        yield Evidence(f"oldest message: at least {age}", queue.measured_at)
    yield from _consumers(queue, places)
    running = sorted(
        (
            (elapsed, task)
            for worker in places.workers
            for id_ in worker.active_ids
            if (task := state.tasks.get(id_)) is not None
            and (elapsed := task.elapsed(state.running_at(worker.name, now))) is not None
        ),
        key=lambda one: -one[0],
    )
    for elapsed, task in running[:MAX_RUNNING_SHOWN] if places.is_full else ():
        name = task.name or "a task of unknown name"
        yield Evidence(
            f"{name} ({short_id(task.id)}) runs for {units.duration(elapsed)} on {task.worker}"
        )


def _consumers(queue: Queue, places: Capacity) -> Iterator[Evidence]:
    fact = queue.fact("consumers")
    if queue.known_consumers:
        yield Evidence(f"consumers: {named(queue.known_consumers)}", fact.answered_at)
    elif queue.consumer_count is not None:
        yield Evidence(f"{counted(queue.consumer_count, 'consumer')}", queue.measured_at)
    elif fact.is_answered:
        yield Evidence("no worker consumes it", fact.answered_at)
    if places.slots:
        text = f"{places.busy:,} of {counted(places.slots, 'slot')} busy"
        text += f", {counted(places.reserved, 'task')} reserved" if places.reserved else ""
        yield Evidence(text, places.at)
    if places.unknown:
        yield Evidence(f"slots of {named(places.unknown)} are unknown")
