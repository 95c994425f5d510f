"""Pause a queue, and resume exactly what was there.

What workers hold already still runs: a pause stops them from taking more. On Redis a worker has
always one request under way that takes the next message: what it gets after the pause it puts back,
behind all others and marked as redelivered.

A pause ends for a worker that restarts, since it consumes what it was started with; it outlives a
broken connection.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Mapping
from typing import Final, cast

from ...model.operations.commands import Consumer, PauseQueue, ResumeQueue
from ...model.operations.outcome import Answer
from ..polling.queue_depths import is_internal
from .consumers import Talk, consuming, talking
from .paused_queues import PausedQueues, identity
from .running import OperationContext, Refused, Unsure

SETTLED: Final = 8.0
"""Seconds in which a worker that was told must have done it."""
STEP: Final = 0.3


def pause(doing: OperationContext) -> None:
    """Carry out a `PauseQueue`.

    Raises:
        Refused: If nobody consumes the queue, it would be deleted, or nobody could resume it later.
        Unsure: If the connection broke while workers were told; what was paused is remembered.
        Exception: Whatever the transport raises before anything was sent.
    """
    command = cast(PauseQueue, doing.outcome.operation)
    queue = command.queue
    if is_internal(queue):
        raise Refused(f"{queue} carries Celery's own messages: it is never paused")
    if not command.consumers:
        raise Refused(f"no worker is known to consume {queue}")
    memory, cluster = PausedQueues(), identity(doing.broker)
    with talking(doing) as (talk, errors):
        ways = _ways(talk, queue, command.consumers)
        if not ways:
            raise Refused(f"none of the workers consumes {queue} any more")
        _refuse_deletion(doing, queue, ways.values())
        try:
            memory.remember(cluster, PauseQueue(queue=queue, consumers=tuple(ways.values())))
        except OSError as error:
            text = f"{memory.path} cannot be written ({error.strerror}): nobody could resume it"
            raise Refused(text) from error
        if doing.cancelled.is_set():
            memory.forget(cluster, queue, ways)
            raise Refused("taken back before anything was sent")
        try:
            talk.cancel(queue, tuple(ways))
            answers = _verified(doing, talk, queue, ways, paused=True)
        except errors as error:
            raise _lost(doing, ways, f"it may consume {queue} or not") from error
    already = Answer("confirmed", f"did not consume {queue}")
    others = {one.worker: already for one in command.consumers if one.worker not in ways}
    doing.tell(workers={**others, **answers}, targets={queue: _sum(answers, "still taken from")})


def resume(doing: OperationContext) -> None:
    """Carry out a `ResumeQueue`; those that consume again, and those that are gone, are forgotten.

    Raises:
        Refused: If it is not known who consumed the queue.
        Unsure: If the connection broke while workers were told; they remain remembered.
        Exception: Whatever the transport raises before anything was sent.
    """
    command = cast(ResumeQueue, doing.outcome.operation)
    queue = command.queue
    memory, cluster = PausedQueues(), identity(doing.broker)
    if not command.consumers:
        words = memory.trouble or "add consumers to workers by name"
        raise Refused(f"it is not known who consumed {queue}: {words}")
    ways = {one.worker: one for one in command.consumers}
    with talking(doing) as (talk, errors):
        if doing.cancelled.is_set():
            raise Refused("taken back before anything was sent")
        try:
            talk.add(queue, command.consumers)
            answers = _verified(doing, talk, queue, ways, paused=False)
        except errors as error:
            raise _lost(doing, ways, f"it may consume {queue} or not") from error
    settled = [name for name, answer in answers.items() if answer.verdict == "confirmed"]
    for name in [name for name, answer in answers.items() if answer.verdict == "silent"]:
        # One that said good-bye comes back as it is started: there is nothing to put back.
        if command.forget or name in doing.roster.offline_at.keys() - doing.roster.members:
            answers[name] = Answer("silent", f"gone, and forgotten: no answer came about {queue}")
            settled.append(name)
    target = _sum(answers, "not consumed")
    try:
        memory.forget(cluster, queue, settled)
    except OSError as error:
        words = f"it remains remembered as paused: {memory.path}: {error.strerror}"
        target = Answer(target.verdict, f"{target.text}; {words}" if target.text else words)
    doing.tell(workers=answers, targets={queue: target})


def _ways(talk: Talk, queue: str, consumers: tuple[Consumer, ...]) -> dict[str, Consumer]:
    """Return how each worker consumes the queue by its own word just now, or else as was known.

    Workers that answer that they do not consume it are left out.
    """
    names = [one.worker for one in consumers]
    replies = talk.ask(["active_queues"], names)
    ways: dict[str, Consumer] = {}
    for one in consumers:
        told = consuming(replies, one.worker)
        if told is None:
            ways[one.worker] = one
        elif queue in told:
            ways[one.worker] = told[queue]
    return ways


def _refuse_deletion(doing: OperationContext, queue: str, ways: Collection[Consumer]) -> None:
    if doing.broker.is_amqp and any(one.options.get("auto_delete") for one in ways):
        raise Refused(
            f"{queue} is deleted with all its messages when nobody consumes it (auto_delete)"
        )


def _verified(
    doing: OperationContext, talk: Talk, queue: str, ways: Mapping[str, Consumer], *, paused: bool
) -> dict[str, Answer]:
    """Ask until each of the workers has done what it was told; return what is true of each.

    While a queue is paused everyone is asked: one that came up meanwhile consumes it.
    """
    deadline = time.monotonic() + SETTLED
    for asked in itertools.count(1):
        replies = talk.ask(["active_queues"], None if paused else tuple(ways), tuple(ways))
        known = {name: told for name in replies if (told := consuming(replies, name)) is not None}
        done = [name for name in ways if name in known and (queue in known[name]) is not paused]
        doing.tell(stage=f"{len(done)} of {len(ways)} workers")
        # Who has not answered twice is gone or busy: no reason to wait for.
        left = [name for name in ways if name not in done and (name in known or asked < 2)]
        if not left or time.monotonic() > deadline or doing.cancelled.wait(STEP):
            break
    answers = {name: _answer(talk, queue, ways[name], known.get(name), paused) for name in ways}
    if paused:
        words = f"it consumes {queue}: it came up meanwhile; pause again"
        others = [name for name, told in known.items() if name not in ways and queue in told]
        answers |= dict.fromkeys(others, Answer("refused", words))
    return answers


def _answer(
    talk: Talk, queue: str, way: Consumer, told: dict[str, Consumer] | None, paused: bool
) -> Answer:
    """Return what became of one worker."""
    if told is None:
        if talk.unreadable:
            words = f"it may have been told; its answers in {talk.unreadable} cannot be read"
        else:
            words = "gone, or too busy to answer"
        return Answer("silent", f"{words}; how it consumed {queue} is remembered")
    if paused:
        return (
            Answer("refused", f"still consumes {queue}") if queue in told else Answer("confirmed")
        )
    if queue not in told:
        return Answer("refused", f"does not consume {queue}; how it did is remembered")
    now = told[queue]
    if way.exchange and _route(now) != _route(way):
        words = "it knows the queue otherwise, and consumes it its own way: exchange"
        return Answer("confirmed", f"{words} {now.exchange!r}, routing key {now.routing_key!r}")
    return Answer("confirmed")


def _route(way: Consumer) -> tuple[str | None, ...]:
    """Return what decides which messages come into the queue."""
    return way.exchange, way.exchange_type or "direct", way.routing_key


def _sum(answers: Mapping[str, Answer], words: str) -> Answer:
    """Return what is true of the queue.

    Args:
        answers: By worker.
        words: What is wrong with a worker that did not do it.
    """
    for verdict in ("refused", "silent"):
        if bad := sorted(name for name, one in answers.items() if one.verdict == verdict):
            more = f", and {len(bad) - 1} more" if bad[1:] else ""
            doubt = "" if verdict == "refused" else "perhaps "
            return Answer(verdict, f"{doubt}{words}: {bad[0]}{more}")
    return Answer("confirmed")


def _lost(doing: OperationContext, ways: Collection[str], words: str) -> Unsure:
    text = f"the connection broke meanwhile: {words}; how it did is remembered"
    doing.tell(workers=dict.fromkeys(ways, Answer("unsure", text)))
    return Unsure(text)
