"""Deletes the messages waiting in a queue: all of them, or on Redis single ones.

Messages that workers have already taken are not affected. No copy of a deleted message is kept.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from ....model.entities.queue import is_internal
from ....model.operations.commands import Purge
from ....model.operations.outcome import Answer
from ...connection.alarms import refusal
from ...messages.reader import MessageReader
from ..running import OperationContext, Refused, Unsure, perform

if TYPE_CHECKING:
    from kombu.connection import Connection

BLOCK_MESSAGES: Final = 500
"""Messages that are read and deleted with one request, at most."""
BLOCK_BYTES: Final = 4 << 20
MAX_SHIFT: Final = 500
"""Messages that workers may take from the list between reading and deletion."""
MAX_ROUNDS: Final = 10
DELETE: Final = """
local wanted, found = {}, {}
for number = 4, #ARGV do
  wanted[ARGV[number]] = number - 3
  found[number - 3] = 0
end
local last = tonumber(ARGV[2])
local block = redis.call('LRANGE', KEYS[1], ARGV[1], last)
local count = 0
for number, raw in ipairs(block) do
  local its = wanted[raw]
  if its then
    redis.call('LSET', KEYS[1], last - #block + number, ARGV[3])
    found[its] = 1
    count = count + 1
  end
end
if count > 0 then
  redis.call('LREM', KEYS[1], -count, ARGV[3])
end
return found
"""
"""Deletes exact messages within a range of a list; returns 1 for each that was there. An LREM for
each would make Redis compare all other messages: minutes for a hundred thousand."""


@perform.register
def purge(operation: Purge, context: OperationContext) -> None:
    """Carry out a `Purge`; `Outcome.count` is the number of deleted messages.

    Raises:
        Refused: There is no such queue, or it is not a task queue.
    """
    queue = operation.queue
    if is_internal(queue):
        raise Refused(f"{queue} is one of Celery's internal queues and cannot be purged")
    with context.broker.connection() as connection:
        messages = MessageReader(connection, context.broker)
        if context.broker.is_redis:
            _check(context, messages, queue)
        if context.cancelled.is_set():
            raise Refused("cancelled before anything was deleted")
        if operation.task is None and operation.ids is None:
            _purge_all(context, connection, messages, queue)
        elif messages.unavailable is not None:
            raise Refused(f"cannot purge single messages: {messages.unavailable}")
        else:
            _purge_some(context, connection, messages, operation)


def _check(context: OperationContext, messages: MessageReader, queue: str) -> None:
    """Refuse a key that is not a queue: a value of any type would be deleted."""
    kinds = [messages.key_type(key) for key in messages.keys(queue)]
    if odd := [kind for kind in kinds if kind not in ("list", "none")]:
        raise Refused(f"{queue} is not a queue but a Redis {odd[0]}")
    known = context.roster.queues | set(context.broker.settings.queues)
    if queue not in known and "list" not in kinds:
        raise Refused(f"{queue} is empty, and no known worker consumes it")


def _purge_all(
    context: OperationContext, connection: Connection, messages: MessageReader, queue: str
) -> None:
    try:
        with context.limited():
            if refusal(connection, context.broker) is None:
                count = int(connection.default_channel.queue_purge(queue) or 0)
            else:
                count = _delete_lists(messages, queue)
    except connection.channel_errors as error:
        if getattr(error, "code", None) == 404:
            raise Refused(f"there is no queue {queue} on the broker; check its name") from error
        raise Refused(" ".join(str(error).split())) from error
    except connection.connection_errors as error:
        raise _unsure(context, queue, "either all messages were deleted, or none") from error
    context.report(targets={queue: Answer("confirmed")}, count=count)


def _delete_lists(messages: MessageReader, queue: str) -> int:
    """Delete a queue's lists in Redis, and return the number of messages.

    When memory is short, the server refuses every command of a transaction, such as kombu's; a
    worker may then take messages between counting and deleting.
    """
    pipe = messages.redis.pipeline(transaction=False)
    for key in messages.keys(queue):
        pipe.llen(key)
        pipe.delete(key)
    return sum(pipe.execute()[::2])


def _purge_some(
    context: OperationContext, connection: Connection, messages: MessageReader, operation: Purge
) -> None:
    queue = operation.queue
    deletion = _Deletion(messages, operation)
    for key in messages.keys(queue):
        try:
            # Messages taken by workers shift others past us: repeat, but not forever.
            for _ in range(MAX_ROUNDS):
                if not deletion.delete_from(key, context):
                    break
        except connection.connection_errors as error:
            raise _unsure(context, queue, f"at least {deletion.count:,} were deleted") from error
    answer = Answer("confirmed")
    if context.cancelled.is_set():
        answer = Answer("refused", f"cancelled after {deletion.count:,} messages were deleted")
    elif deletion.missed:
        answer = Answer("confirmed", f"workers took {len(deletion.missed):,} in the meantime")
    context.report(targets={queue: answer}, count=deletion.count)


class _Deletion:
    """Deletes messages from lists, by task name or id, in the order in which they are served."""

    def __init__(self, messages: MessageReader, operation: Purge) -> None:
        self.count = 0
        """Messages deleted."""
        self.missed: set[int] = set()
        """Hashes of the messages that were read, but gone when they were to be deleted."""
        self._messages = messages
        self._task = operation.task
        self._ids = None if operation.ids is None else frozenset(operation.ids)
        self._mark = f"deleted {uuid.uuid4()}"
        self._scripts = True

    def delete_from(self, key: str, context: OperationContext) -> bool:
        """Delete messages from a list; return whether there were any."""
        before, kept, size = self.count, 0, 16
        while not context.cancelled.is_set() and not self._has_all:
            block: list[Any] = self._messages.redis.lrange(key, -(kept + size), -kept - 1)
            if not block:
                break
            matching = list(dict.fromkeys(raw for raw in reversed(block) if self._is_meant(raw)))
            if matching:
                first, last = -(kept + size), -max(0, kept - MAX_SHIFT) - 1
                for raw, found in zip(
                    matching, self._delete(key, first, last, matching), strict=True
                ):
                    self.count += found
                    (self.missed.discard if found else self.missed.add)(hash(raw))
                context.report(count=self.count, stage=f"{self.count:,} deleted")
            kept += len(block) - len(matching)
            size = BLOCK_BYTES * len(block) // (1 + sum(map(len, block)))
            size = max(1, min(BLOCK_MESSAGES, size))
        return self.count > before and not context.cancelled.is_set()

    @property
    def _has_all(self) -> bool:
        return self._ids is not None and self.count >= len(self._ids)

    def _is_meant(self, raw: bytes) -> bool:
        message = self._messages.read(raw)
        if message is None or self._task not in (None, message.task):
            return False
        return self._ids is None or message.id in self._ids

    def _delete(self, key: str, first: int, last: int, raws: list[bytes]) -> list[int]:
        """Delete exact messages from a range; return 1 for each that was there."""
        from redis.exceptions import ResponseError

        redis: Any = self._messages.redis
        if self._scripts:
            try:
                return list(redis.eval(DELETE, 1, key, first, last, self._mark, *raws))
            except ResponseError:
                # Not allowed here, or memory is short: only deletion is possible then.
                self._scripts = False
        pipe = redis.pipeline(transaction=False)
        for raw in raws:
            pipe.lrem(key, -1, raw)
        return list(pipe.execute())


def _unsure(context: OperationContext, queue: str, words: str) -> Unsure:
    """Report an incomplete purge."""
    text = f"connection lost while deleting; {words}"
    context.report(targets={queue: Answer("unsure", text)})
    return Unsure(text)
