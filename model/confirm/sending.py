"""Confirmations of sending tasks: originals again, or new ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from ..ingest.tasks.lost_tasks import redelivery_text
from ..operations.call import SOURCE_NAMES, Call, SentTask, max_priority
from ..operations.commands import Retry, Trigger
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted, named, short_id, tallied, verb
from .confirmation import (
    MAX_LISTED_TARGETS,
    Confirmation,
    confirm,
    describe,
    listed,
    task_line,
    typed_count,
)
from .targets import registered, with_unknown_consumers, without_consumers

JSON: Final = frozenset({"json", "application/json"})
"""The serializer of new messages, under the names that `accept_content` may have for it."""
LIVE_SOURCES: Final = ("queue", "unacked", "worker")
"""Where only tasks that have not finished are found."""


@confirm.register
def retry(operation: Retry, state: ClusterState, now: float) -> Confirmation:
    """Confirm sending tasks again."""
    originals = operation.originals
    number = len(originals)
    calls = [original.call for original in originals]
    sources = Counter(SOURCE_NAMES[original.source] for original in originals).most_common()
    effects = [
        "Sent again with the same arguments, each under a new id"
        if number > 1
        else "Sent again with the same arguments under a new id"
    ]
    if len(sources) == 1:
        effects.append(f"The arguments come from {sources[0][0]}")
    elif sources:
        counts = ", ".join(f"{source} ({found:,})" for source, found in sources)
        effects.append(f"The arguments come from {counts}")
    return describe(
        operation,
        listed([task_line(state, one.id) for one in originals[:MAX_LISTED_TARGETS]], number),
        [*effects, *_queues(calls), *_queue_reasons(originals)],
        [*_left_out(operation), _originals_kept(number)],
        warnings=_redelivered(originals, state, now)
        + _unfinished(originals, state)
        + _revoked(originals, state)
        + _no_consumers(calls, state),
        refusal=_refusal(calls),
    )


@confirm.register
def trigger(operation: Trigger, state: ClusterState, now: float) -> Confirmation:
    """Confirm sending new tasks."""
    calls = operation.calls
    number = len(calls)
    effects = [f"{counted(number, 'new task')} {'is' if number == 1 else 'are'} sent"]
    effects += [*_queues(calls), *_schedule(calls, now)]
    if originals := [short_id(call.retry_of) for call in calls if call.retry_of]:
        effects.append(f"Recorded as a retry of {named(originals)} with other arguments")
    lines = [f"{call.name} to {call.queue or units.UNKNOWN}" for call in calls[:MAX_LISTED_TARGETS]]
    return describe(
        operation,
        listed(lines, number),
        effects,
        ["A task can be revoked until it starts, but sending it cannot be undone"],
        warnings=_unregistered(calls, state) + _no_consumers(calls, state) + _no_json(state),
        refusal=_refusal(calls) or _wrong_priority(calls, state),
        must_type=typed_count(number),
    )


def _originals_kept(number: int) -> str:
    kept = "The original task and its result" if number == 1 else "The originals and their results"
    return f"{kept} are not changed"


def _queues(calls: Sequence[Call]) -> list[str]:
    """Return a line about the queues that tasks go to."""
    queues = [call.queue for call in calls if call.queue]
    if not queues:
        return []
    return [f"To queue {queues[0]}" if len(set(queues)) == 1 else f"To queues: {tallied(queues)}"]


def _queue_reasons(originals: Sequence[SentTask]) -> list[str]:
    """Return lines about the queues that are not those of the original messages."""
    found = Counter(one.queue_reason for one in originals if one.queue_reason)
    return [
        f"The queue is taken from {reason}"
        + ("" if count == len(originals) else f" for {counted(count, 'task')}")
        for reason, count in found.most_common()
    ]


def _revoked(originals: Sequence[SentTask], state: ClusterState) -> list[str]:
    """Return a warning about the tasks that workers will discard."""
    revoked = [one for one in originals if one.revoked_by or _flagged(state, one.id)]
    if not revoked:
        return []
    workers = sorted({name for one in revoked for name in one.revoked_by})
    where = f" on {named(workers)}" if workers else ""
    if len(originals) == 1:
        return [f"The task is revoked{where}; the retry has a new id and will run"]
    tasks = f"{counted(len(revoked), 'task')} {'is' if len(revoked) == 1 else 'are'}"
    return [f"{tasks} revoked{where}; the retries have new ids and will run"]


def _flagged(state: ClusterState, id_: str) -> bool:
    """Return whether workers have confirmed a revoke of a task to us."""
    task = state.tasks.get(id_)
    return task is not None and task.extra is not None and bool(task.extra.revoke_requested_at)


def _schedule(calls: Sequence[Call], now: float) -> list[str]:
    lines = []
    if waits := [call for call in calls if call.countdown or call.eta_at]:
        start = waits[0].countdown or (waits[0].eta_at or now) - now
        lines.append(f"Starts in {units.duration(max(0.0, start))} at the earliest")
    if expiring := [call.expires_in for call in calls if call.expires_in is not None]:
        lines.append(f"Expires if not started within {units.duration(min(expiring))}")
    return lines


def _left_out(operation: Retry) -> list[str]:
    """Return lines about everything that was sent with the originals and will not be sent now."""
    missing = Counter(thing for original in operation.originals for thing in original.missing)
    number = len(operation.originals)
    things: dict[int, list[str]] = {}
    for thing, found in missing.most_common():
        things.setdefault(found, []).append(thing)
    lines = [
        f"Unknown, so not sent: {', '.join(found)}"
        + ("" if number == 1 else f" (for {count:,} of {number:,} tasks)")
        for count, found in things.items()
    ]
    if operation.with_links:
        lines.append("No task rejoins its chord: the other members have finished without it")
    elif not any("callback" in thing for thing in missing):
        lines.append("Callbacks and the rest of a chain are not sent")
    if unplaced := sum(original.call.queue is None for original in operation.originals):
        lines.append(f"{counted(unplaced, 'task')} whose queue is unknown will not be sent")
    return lines


def _redelivered(originals: Sequence[SentTask], state: ClusterState, now: float) -> list[str]:
    """Warn about lost tasks that the broker redelivers anyway."""
    tasks = [state.tasks[one.id] for one in originals if one.id in state.tasks]
    again = [at for task in tasks if (at := state.redelivery_at(task)) is not None]
    if not again:
        return []
    subject = "The original" if len(originals) == 1 else counted(len(again), "original")
    return [
        f"{subject} will be {redelivery_text(min(again), now)}, so the work would be done twice"
    ]


def _unfinished(originals: Sequence[SentTask], state: ClusterState) -> list[str]:
    unfinished = sum(
        one.source in LIVE_SOURCES if task is None else not task.finished
        for one in originals
        for task in (state.tasks.get(one.id),)
    )
    if not unfinished:
        return []
    tasks = "The task" if len(originals) == 1 else counted(unfinished, "task")
    return [f"{tasks} may not have finished; the work may be done twice"]


def _no_consumers(calls: Sequence[Call], state: ClusterState) -> list[str]:
    queues = [call.queue for call in calls if call.queue]
    message = "the message" if len(calls) == 1 else "messages"
    lines = [
        f"No known worker consumes {name}; {message} will wait"
        for name in without_consumers(state, queues)
    ]
    lines += [
        f"It is unknown whether a worker consumes {name}; if none does, {message} will wait"
        for name in with_unknown_consumers(state, queues)
    ]
    return lines


def _unregistered(calls: Sequence[Call], state: ClusterState) -> list[str]:
    known = registered(state)
    unknown = sorted({call.name for call in calls} - known) if known else []
    return [
        f"No worker that replied has registered {name}; the worker that receives it will discard it"
        for name in unknown
    ]


def _no_json(state: ClusterState) -> list[str]:
    """Return a warning about the workers that do not accept JSON, which new messages are in."""
    refusing = []
    for name, worker in state.workers.items():
        accepted = (worker.conf or {}).get("accept_content")
        if isinstance(accepted, list | tuple) and JSON.isdisjoint(map(str, accepted)):
            refusing.append(name)
    who = verb(refusing, "does", "do")
    return [f"{who} not accept JSON (accept_content) and will discard it"] if refusing else []


def _refusal(calls: Sequence[Call]) -> str | None:
    if not calls:
        return "no selected task can be sent"
    if all(call.queue is None for call in calls):
        return "the queue is unknown"
    return None


def _wrong_priority(calls: Sequence[Call], state: ClusterState) -> str | None:
    highest = max_priority(state.broker.family)
    wrong = next((one.priority for one in calls if (one.priority or 0) > highest), None)
    return None if wrong is None else f"priorities on this broker are 0 to {highest}, not {wrong}"
