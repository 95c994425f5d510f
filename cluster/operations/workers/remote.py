"""Carries out all operations that are one remote-control command to workers by name.

What the command is called, its arguments and how its effect is seen stand on the operation.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec

from ....files.lasting_changes import LastingChanges
from ....model.operations.commands import (
    AddConsumer,
    CancelConsumer,
    DisableEvents,
    EnableEvents,
    Shutdown,
    WorkerOperation,
)
from ....model.operations.inverse import CHANGES, Change
from ....model.operations.kept_change import KeptChange
from ....model.operations.outcome import Answer
from ...connection.replies import Reply
from ...events.enabled_workers import EnabledWorkers
from ...polling.workers.inspect_schedule import INSPECT_ARGUMENTS
from ..audit import user_name
from ..mailbox import Mailbox, open_mailbox
from ..queues.paused_queues import PausedQueues
from ..replies import MAX_REPLY_LENGTH, MAX_REPORT_LENGTH
from ..running import OperationContext, Refused, perform
from .declare import add_consumer_arguments

OFFLINE_TIMEOUT: Final = 10.0
"""Seconds for the worker-offline event; it is sent at once, except by a busy solo worker."""
HEARTBEAT_TIMEOUT: Final = 5.0
"""Seconds for the heartbeat of a worker that was asked for one."""
CONSUMER_TIMEOUT: Final = 8.0
"""Seconds after its reply in which a worker consumes a queue, or stops. Its first quorum queue
costs it its connection to RabbitMQ, which has no global prefetch there; it soon reconnects."""
CONSUMER_REPLY_TIMEOUT: Final = 1.5
"""Seconds after which a worker that does not report its queues is asked again."""
POOL_SETTLED_AFTER: Final = 5.5
"""Seconds after which a pool has its new size: prefork maintains it every 5 s
(`celery/concurrency/asynpool.py`)."""
CHECK_INTERVAL: Final = 0.1


@perform.register
def run(operation: WorkerOperation, context: OperationContext) -> None:
    """Send a remote-control command, and see to its effect.

    Raises:
        Refused: No worker is named, or adding a consumer would do harm.
    """
    if not operation.workers:
        raise Refused("no workers are named")
    with open_mailbox(context) as mailbox:
        arguments = operation.arguments
        if isinstance(operation, AddConsumer):
            arguments = add_consumer_arguments(context, mailbox, operation)
        if operation.replies:
            _send(operation, context, mailbox, arguments)
        else:
            _send_without_reply(operation, context, mailbox)


def _send(
    operation: WorkerOperation,
    context: OperationContext,
    mailbox: Mailbox,
    arguments: Mapping[str, Any],
) -> None:
    expected = operation.workers
    max_length = MAX_REPORT_LENGTH if operation.read_only else MAX_REPLY_LENGTH
    replies = mailbox.collect(
        operation.command, arguments, expected, expected=expected, max_length=max_length
    )
    accepted = [name for name in expected if name in replies and replies[name].error is None]
    if isinstance(operation, DisableEvents | EnableEvents):
        _remember_events(operation, context, accepted)
        mailbox.forward(replies)
    if operation.inspected_by is None or not accepted:
        return
    if isinstance(operation, CHANGES):
        _remember_change(operation, context, accepted)
    if isinstance(operation, AddConsumer | CancelConsumer):
        # Accepted is not done until it is seen.
        unseen = Answer("silent", "it accepted, but has not reported its queues since")
        context.report(workers=dict.fromkeys(accepted, unseen))
        _verify_consumers(operation, context, mailbox, accepted)
    else:
        # The operation is done: a failure from here on does not undo it.
        with suppress(Exception):
            _inspect(mailbox, operation.inspected_by, accepted)
        if operation.inspected_by == "stats":
            context.afterwards = partial(_inspect_later, context, "stats", accepted)


def _inspect(mailbox: Mailbox, command: str, workers: Sequence[str]) -> None:
    """Ask workers for what the operation has changed, for the model."""
    arguments = INSPECT_ARGUMENTS.get(command)
    mailbox.forward(mailbox.ask(command, arguments, workers, expected=workers))


def _inspect_later(context: OperationContext, command: str, workers: Sequence[str]) -> None:
    """Ask once more when pools have reached their new size."""
    if not context.cancelled.wait(POOL_SETTLED_AFTER):
        with open_mailbox(context) as mailbox:
            _inspect(mailbox, command, workers)


def _remember_events(
    operation: DisableEvents | EnableEvents, context: OperationContext, workers: Sequence[str]
) -> None:
    """Remember which workers must not have their events enabled, or disabled, by celtop."""
    with suppress(OSError):
        EnabledWorkers().forget(context.broker.identity, workers)
    if isinstance(operation, DisableEvents):
        context.roster.events_disabled |= set(workers)
    else:
        context.roster.events_disabled -= set(workers)


def _remember_change(operation: Change, context: OperationContext, workers: Sequence[str]) -> None:
    """Keep what undoes a change for later celtops, or remove what it has undone itself."""
    changes, cluster, outcome = LastingChanges(), context.broker.identity, context.outcome
    try:
        if outcome.inverse:
            change = KeptChange(operation, outcome.inverse, outcome.began_at, user_name())
            changes.add(cluster, change)
        else:
            changes.undo(cluster, msgspec.structs.replace(operation, workers=tuple(workers)))
    except OSError as error:
        text = (
            f"Cannot write {changes.path}: {error.strerror}. Only this celtop can undo the change"
        )
        context.inbox.log("warning", "operation", text)


def _verify_consumers(
    operation: AddConsumer | CancelConsumer,
    context: OperationContext,
    mailbox: Mailbox,
    workers: Sequence[str],
) -> None:
    """Wait until workers consume the queue, or no longer do: they reply before they do it."""
    wanted = isinstance(operation, AddConsumer)
    done = Answer("confirmed", "it consumes the queue" if wanted else "it no longer consumes it")
    deadline = time.monotonic() + CONSUMER_TIMEOUT
    left = workers
    while True:
        replies = mailbox.ask(
            "active_queues", None, left, expected=left, timeout=CONSUMER_REPLY_TIMEOUT
        )
        mailbox.forward(replies)
        consuming = {name: consumes(replies.get(name), operation.queue) for name in left}
        context.report(workers={name: done for name in left if consuming[name] is wanted})
        if wanted:
            # The queue is no longer paused for these workers.
            with suppress(OSError):
                added = [name for name in left if consuming[name]]
                PausedQueues().forget(context.broker.identity, operation.queue, added)
        left = [name for name in left if consuming[name] is not wanted]
        if not left or time.monotonic() > deadline or context.cancelled.wait(CHECK_INTERVAL):
            break
    text = (
        "it accepted, but does not consume it" if wanted else "it accepted, but still consumes it"
    )
    refused = (name for name in left if consuming[name] is not None)
    context.report(workers=dict.fromkeys(refused, Answer("refused", text)))


def consumes(reply: Reply | None, queue: str) -> bool | None:
    """Return whether a worker consumes a queue by its reply to `active_queues`; None if unknown."""
    if reply is None or not isinstance(reply.value, list):
        return None
    return any(isinstance(one, dict) and one.get("name") == queue for one in reply.value)


def _send_without_reply(
    operation: WorkerOperation, context: OperationContext, mailbox: Mailbox
) -> None:
    """Send a command that workers do not reply to, and wait for the event that confirms it."""
    shutdown = isinstance(operation, Shutdown)
    began = time.monotonic()
    mailbox.broadcast(operation.command, operation.arguments, operation.workers)
    deadline = began + (OFFLINE_TIMEOUT if shutdown else HEARTBEAT_TIMEOUT)
    event = "worker-offline event" if shutdown else "heartbeat"
    confirmed = Answer(
        "confirmed",
        "it is offline: it no longer takes tasks and exits when its running tasks have finished"
        if shutdown
        else "its heartbeat was received",
    )
    left = set(operation.workers)
    while left and time.monotonic() < deadline and not context.cancelled.is_set():
        seen = {name for name in left if _event_at(context, name, shutdown) >= began}
        if seen:
            context.report(workers=dict.fromkeys(seen, confirmed))
            left -= seen
        if left:
            stage = f"waiting for {len(left):,} {event}{'' if len(left) == 1 else 's'}"
            if context.outcome.stage != stage:
                context.report(stage=stage)
            context.cancelled.wait(CHECK_INTERVAL)
    text = (
        f"no worker-offline event within {OFFLINE_TIMEOUT:g} s; a busy solo worker finishes its "
        "task first"
        if shutdown
        else f"no heartbeat within {HEARTBEAT_TIMEOUT:g} s"
    )
    context.report(workers=dict.fromkeys(left, Answer("silent", text)), stage="")


def _event_at(context: OperationContext, name: str, shutdown: bool) -> float:
    """Return when a worker went offline, or its last heartbeat came, monotonic; 0 if never."""
    if shutdown:
        return context.roster.offline_at.get(name, 0.0)
    member = context.roster.members.get(name)
    return (member.heartbeat_at or 0.0) if member is not None else 0.0
