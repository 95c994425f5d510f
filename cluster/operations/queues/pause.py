"""Pauses a queue, and resumes it with exactly the consumers it had.

Tasks that workers have already received still run: a pause stops them from taking more. On Redis a
worker always has one request pending that takes the next message: what it gets after the pause goes
back to the end of the queue, marked as redelivered.

A pause ends for a worker that restarts, because it consumes its configured queues; it survives a
broken connection.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Mapping
from typing import Final

from ....model.entities.queue import is_internal
from ....model.operations.commands import Consumer, PauseQueue, ResumeQueue
from ....model.operations.outcome import Answer, Verdict
from ....model.text.phrases import named
from ..running import OperationContext, Refused, Unsure, perform
from ..workers.consumers import ConsumerControl, consumer_control, consuming
from .paused_queues import PausedQueues

CONSUMER_TIMEOUT: Final = 8.0
"""Seconds in which a worker must have started or stopped consuming."""
CHECK_INTERVAL: Final = 0.3
CONFIRMED: Final = Answer("confirmed")
CANCELLED: Final = "cancelled before anything was sent"


@perform.register
def pause(operation: PauseQueue, context: OperationContext) -> None:
    """Carry out a `PauseQueue`.

    Raises:
        Refused: The queue has no consumers, would be deleted, or could not be resumed later.
    """
    queue = operation.queue
    if is_internal(queue):
        raise Refused(f"{queue} is one of Celery's internal queues and cannot be paused")
    if not operation.consumers:
        raise Refused(f"no known worker consumes {queue}; check its name")
    paused, cluster = PausedQueues(), context.broker.identity
    with consumer_control(context) as (control, errors):
        consumers = _current_consumers(control, queue, operation.consumers)
        if not consumers:
            raise Refused(f"none of the workers consumes {queue} any longer")
        if context.broker.is_amqp and any(
            one.options.get("auto_delete") for one in consumers.values()
        ):
            text = f"without consumers {queue} is deleted with all its messages (auto_delete)"
            raise Refused(text)
        try:
            paused.remember(cluster, PauseQueue(queue=queue, consumers=tuple(consumers.values())))
        except OSError as error:
            text = f"cannot write {paused.path}: {error.strerror}. The queue could not be resumed"
            raise Refused(text) from error
        if context.cancelled.is_set():
            paused.forget(cluster, queue, consumers)
            raise Refused(CANCELLED)
        try:
            control.cancel(queue, tuple(consumers))
            answers = _verified(context, control, queue, consumers, paused=True)
        except errors as error:
            raise _connection_lost(context, queue, consumers) from error
    already = Answer("confirmed", f"it did not consume {queue}")
    others = {one.worker: already for one in operation.consumers if one.worker not in consumers}
    target = _queue_answer(answers, "still consumed by", "possibly still consumed by")
    context.report(workers={**others, **answers}, targets={queue: target})


@perform.register
def resume(operation: ResumeQueue, context: OperationContext) -> None:
    """Carry out a `ResumeQueue`; consumers that are restored or gone are forgotten.

    Raises:
        Refused: The consumers are unknown.
    """
    queue = operation.queue
    paused, cluster = PausedQueues(), context.broker.identity
    if not operation.consumers:
        text = paused.error or "add consumers to workers by name instead"
        raise Refused(f"the previous consumers of {queue} are unknown; {text}")
    consumers = {one.worker: one for one in operation.consumers}
    with consumer_control(context) as (control, errors):
        if context.cancelled.is_set():
            raise Refused(CANCELLED)
        try:
            control.add(queue, operation.consumers)
            answers = _verified(context, control, queue, consumers, paused=False)
        except errors as error:
            raise _connection_lost(context, queue, consumers) from error
    settled = [name for name, answer in answers.items() if answer.verdict == "confirmed"]
    for name in [name for name, answer in answers.items() if answer.verdict == "silent"]:
        # A worker that went offline consumes its configured queues when it comes back.
        if operation.forget or name in context.roster.offline_at.keys() - context.roster.members:
            answers[name] = Answer("silent", f"no reply; forgotten as a consumer of {queue}")
            settled.append(name)
    target = _queue_answer(answers, "not consumed by", "possibly not consumed by")
    try:
        paused.forget(cluster, queue, settled)
    except OSError as error:
        text = f"still recorded as paused: cannot write {paused.path}: {error.strerror}"
        target = Answer(target.verdict, f"{target.text}; {text}" if target.text else text)
    context.report(workers=answers, targets={queue: target})


def _current_consumers(
    control: ConsumerControl, queue: str, consumers: tuple[Consumer, ...]
) -> dict[str, Consumer]:
    """Return how each worker consumes the queue now, or as last known if it does not reply.

    Workers whose reply shows that they do not consume it are left out.
    """
    replies = control.inspect(["active_queues"], [one.worker for one in consumers])
    current: dict[str, Consumer] = {}
    for one in consumers:
        queues = consuming(replies, one.worker)
        if queues is None:
            current[one.worker] = one
        elif queue in queues:
            current[one.worker] = queues[queue]
    return current


def _verified(
    context: OperationContext,
    control: ConsumerControl,
    queue: str,
    consumers: Mapping[str, Consumer],
    *,
    paused: bool,
) -> dict[str, Answer]:
    """Ask until each worker has done what it was sent, and return their verdicts.

    A pause asks all workers: one that has started meanwhile consumes the queue.
    """
    deadline = time.monotonic() + CONSUMER_TIMEOUT
    for attempt in itertools.count(1):
        replies = control.inspect(["active_queues"], tuple(consumers), everyone=paused)
        known = {
            name: queues for name in replies if (queues := consuming(replies, name)) is not None
        }
        done = [
            name for name in consumers if name in known and (queue in known[name]) is not paused
        ]
        context.report(stage=f"{len(done)} of {len(consumers)} workers")
        # A worker without a reply to two requests is gone or busy, and not waited for.
        left = [name for name in consumers if name not in done and (name in known or attempt < 2)]
        if not left or time.monotonic() > deadline or context.cancelled.wait(CHECK_INTERVAL):
            break
    answers = {
        name: _answer(control, queue, one, known.get(name), paused)
        for name, one in consumers.items()
    }
    if paused:
        text = f"it started meanwhile and consumes {queue}; pause the queue again"
        others = [
            name for name, queues in known.items() if name not in consumers and queue in queues
        ]
        answers |= dict.fromkeys(others, Answer("refused", text))
    return answers


def _answer(
    control: ConsumerControl,
    queue: str,
    consumer: Consumer,
    queues: dict[str, Consumer] | None,
    paused: bool,
) -> Answer:
    """Return the verdict on one worker, by the queues that it reports."""
    if queues is None:
        text = "offline, or too busy to reply"
        if control.unreadable:
            text = f"its replies in {control.unreadable} cannot be read"
        return Answer("silent", f"{text}; its consumer settings are saved")
    if paused:
        return Answer("refused", f"still consumes {queue}") if queue in queues else CONFIRMED
    if queue not in queues:
        return Answer("refused", f"does not consume {queue}; its settings are saved")
    now = queues[queue]
    if consumer.exchange and _binding(now) != _binding(consumer):
        binding = f"exchange {now.exchange!r}, routing key {now.routing_key!r}"
        return Answer("confirmed", f"consumes it with its own declaration: {binding}")
    return CONFIRMED


def _binding(consumer: Consumer) -> tuple[str | None, ...]:
    """Return what decides which messages reach the queue."""
    return consumer.exchange, consumer.exchange_type or "direct", consumer.routing_key


def _queue_answer(answers: Mapping[str, Answer], refused: str, silent: str) -> Answer:
    """Return the verdict on the queue.

    Args:
        answers: The verdicts on the workers.
        refused: What is wrong if one of them refused.
        silent: What may be wrong if one of them did not reply.
    """
    texts: dict[Verdict, str] = {"refused": refused, "silent": silent}
    for verdict, text in texts.items():
        if names := sorted(name for name, one in answers.items() if one.verdict == verdict):
            return Answer(verdict, f"{text} {named(names)}")
    return CONFIRMED


def _connection_lost(context: OperationContext, queue: str, workers: Collection[str]) -> Unsure:
    text = f"connection lost; it may consume {queue} or not; its settings are saved"
    context.report(workers=dict.fromkeys(workers, Answer("unsure", text)))
    return Unsure(text)
