"""Delete the messages that wait in a queue: all of them, or on Redis those of one task name.

What workers have taken already stays theirs. A message that goes is gone: nobody keeps a copy.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from ...model.operations.commands import Purge
from ...model.operations.outcome import Answer
from ..messages.reader import MessageReader
from ..polling.queue_depths import is_internal
from .running import OperationContext, Refused, Unsure

if TYPE_CHECKING:
    from kombu.connection import Connection

AT_ONCE: Final = 500
"""Messages that are looked at, and deleted, with one request."""
BYTES_AT_ONCE: Final = 4 << 20
SLACK: Final = 500
"""Messages by which workers may have moved the list on between looking and deleting."""
MOST_ROUNDS: Final = 10
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
"""Deletes exact messages within a range of a list; returns for each 1 if it was there. One LREM for
each would have Redis compare its way past all that stay: minutes for a hundred thousand."""


def purge(doing: OperationContext) -> None:
    """Carry out a `Purge`; `Outcome.count` is how many messages are gone.

    Raises:
        Refused: If there is no such queue, or it is not one for tasks.
        Unsure: If the connection broke while messages were deleted.
        Exception: Whatever the transport raises before anything was sent.
    """
    command = cast(Purge, doing.outcome.operation)
    queue = command.queue
    if is_internal(queue):
        raise Refused(f"{queue} carries Celery's own messages: it is never purged")
    with doing.connection() as connection:
        messages = MessageReader(connection, doing.broker, doing.clock)
        if doing.broker.is_redis:
            _check(doing, messages, queue)
        if doing.cancelled.is_set():
            raise Refused("taken back before anything was deleted")
        if command.task is None:
            _purge_all(doing, connection, queue)
        elif messages.unavailable is not None:
            raise Refused(f"one task name alone cannot be purged: {messages.unavailable}")
        else:
            _purge_task(doing, connection, messages, queue, command.task)


def _check(doing: OperationContext, messages: MessageReader, queue: str) -> None:
    """Refuse what is not a queue: whatever lies at its keys would be deleted, of any type."""
    kinds = [messages.key_type(key) for key in messages.keys(queue)]
    if odd := [kind for kind in kinds if kind not in ("list", "none")]:
        raise Refused(f"{queue} is no queue, but a {odd[0]}: nothing was deleted")
    known = doing.roster.queues | set(doing.broker.settings.queues)
    if queue not in known and "list" not in kinds:
        raise Refused(f"nothing waits in {queue}, and no worker is known to consume it")


def _purge_all(doing: OperationContext, connection: Connection, queue: str) -> None:
    try:
        with doing.limited():
            count = int(connection.default_channel.queue_purge(queue) or 0)
    except connection.channel_errors as error:
        if getattr(error, "code", None) == 404:
            raise Refused(f"no queue of the name {queue} exists") from error
        raise Refused(" ".join(str(error).split())) from error
    except connection.connection_errors as error:
        raise _unsure(doing, queue, "all of it may be gone, or nothing") from error
    doing.tell(targets={queue: Answer("confirmed")}, count=count)


def _purge_task(
    doing: OperationContext, connection: Connection, messages: MessageReader, queue: str, task: str
) -> None:
    deleting = _Deleting(messages)
    for key in messages.keys(queue):
        try:
            # What workers take moves others past us: over again, but not for as long as more come.
            for _ in range(MOST_ROUNDS):
                if not deleting.go_through(key, task, doing):
                    break
        except connection.connection_errors as error:
            raise _unsure(doing, queue, f"{deleting.count:,} are gone for certain") from error
    answer = Answer("confirmed")
    if doing.cancelled.is_set():
        answer = Answer("refused", f"taken back; {deleting.count:,} were deleted by then")
    elif deleting.missed:
        answer = Answer("confirmed", f"{len(deleting.missed):,} were taken by workers meanwhile")
    doing.tell(targets={queue: answer}, count=deleting.count)


class _Deleting:
    """Deletes messages of one task name from lists, the next to be served first."""

    def __init__(self, messages: MessageReader) -> None:
        self.count = 0
        """How many are gone."""
        self.missed: set[int] = set()
        """Those that were seen and not there any more, by their hashes."""
        self._messages = messages
        self._mark = f"deleted {uuid.uuid4()}"
        self._scripts = True

    def go_through(self, key: str, task: str, doing: OperationContext) -> bool:
        """Delete what is in a list; return whether there was anything."""
        before, kept, size = self.count, 0, 16
        while not doing.cancelled.is_set():
            block: list[Any] = self._messages.redis.lrange(key, -(kept + size), -kept - 1)
            if not block:
                break
            matching = list(dict.fromkeys(filter(self._is_of(task), reversed(block))))
            if matching:
                first, last = -(kept + size), -max(0, kept - SLACK) - 1
                for raw, found in zip(
                    matching, self._delete(key, first, last, matching), strict=True
                ):
                    self.count += found
                    (self.missed.discard if found else self.missed.add)(hash(raw))
                doing.tell(count=self.count, stage=f"{self.count:,} deleted")
            kept += len(block) - len(matching)
            size = BYTES_AT_ONCE * len(block) // (1 + sum(map(len, block)))
            size = max(1, min(AT_ONCE, size))
        return self.count > before and not doing.cancelled.is_set()

    def _is_of(self, task: str) -> Callable[[bytes], bool]:
        def is_of(raw: bytes) -> bool:
            message = self._messages.read(raw)
            return message is not None and message.task == task

        return is_of

    def _delete(self, key: str, first: int, last: int, raws: list[bytes]) -> list[int]:
        """Delete exact messages from a range; return for each whether it was there."""
        from redis.exceptions import ResponseError

        redis: Any = self._messages.redis
        if self._scripts:
            try:
                return list(redis.eval(DELETE, 1, key, first, last, self._mark, *raws))
            except ResponseError:
                # Not allowed here, or memory is short: only deleting is possible then.
                self._scripts = False
        pipe = redis.pipeline(transaction=False)
        for raw in raws:
            pipe.lrem(key, -1, raw)
        return list(pipe.execute())


def _unsure(doing: OperationContext, queue: str, words: str) -> Unsure:
    """Tell what is known of a purge that the connection did not outlive."""
    text = f"the connection broke while messages were deleted: {words}"
    doing.tell(targets={queue: Answer("unsure", text)})
    return Unsure(text)
