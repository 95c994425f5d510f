"""Delete the messages that wait in a queue: all of them, or on Redis those of one task name.

What workers have taken already stays theirs. A message that goes is gone: nobody keeps a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from ...model.command import Purge
from ...model.outcome import Answer
from ..depths import is_internal
from ..messages import Messages
from .doing import Doing, Refused, Unsure

if TYPE_CHECKING:
    from kombu.connection import Connection

AT_ONCE: Final = 100
"""Messages that are deleted with one request: Redis compares its way to each one."""
ROUND: Final = 20_000
"""Messages that are looked up before they are deleted."""
ROUND_BYTES: Final = 64 << 20


def purge(doing: Doing) -> None:
    """Carry out a `Purge`; `Outcome.count` is how many messages are gone.

    Raises:
        Refused: If there is no such queue, or it is not one for tasks.
        Unsure: If the connection broke while messages were deleted.
        Exception: Whatever the transport raises before anything was sent.
    """
    command = cast(Purge, doing.outcome.command)
    queue = command.queue
    if is_internal(queue):
        raise Refused(f"{queue} carries Celery's own messages: it is never purged")
    with doing.connection() as connection:
        messages = Messages(connection, doing.broker, doing.clock)
        if doing.broker.is_redis:
            _check(doing, messages, queue)
        if command.task is None:
            _purge_all(doing, connection, queue)
        elif messages.why_not is not None:
            raise Refused(f"one task name alone cannot be purged: {messages.why_not}")
        else:
            _purge_task(doing, connection, messages, queue, command.task)


def _check(doing: Doing, messages: Messages, queue: str) -> None:
    """Refuse what is not a queue: whatever lies at its keys would be deleted, of any type."""
    kinds = [messages.kind(key) for key in messages.keys(queue)]
    if odd := [kind for kind in kinds if kind not in ("list", "none")]:
        raise Refused(f"{queue} is no queue, but a {odd[0]}: nothing was deleted")
    known = doing.roster.queues | set(doing.broker.settings.queues)
    if queue not in known and "list" not in kinds:
        raise Refused(f"nothing waits in {queue}, and no worker is known to consume it")


def _purge_all(doing: Doing, connection: Connection, queue: str) -> None:
    try:
        count = int(connection.default_channel.queue_purge(queue) or 0)
    except connection.channel_errors as error:
        if getattr(error, "code", None) == 404:
            raise Refused(f"no queue of the name {queue} exists") from error
        raise Refused(" ".join(str(error).split())) from error
    except connection.connection_errors as error:
        raise _unsure(doing, queue, "all of it may be gone, or nothing") from error
    doing.tell(targets={queue: Answer("confirmed")}, count=count)


def _purge_task(
    doing: Doing, connection: Connection, messages: Messages, queue: str, task: str
) -> None:
    count = taken = 0
    for key in messages.keys(queue):
        for block in _matching(messages, key, task):
            if doing.cancelled.is_set():
                answer = Answer("refused", f"taken back; {count:,} were deleted by then")
                doing.tell(targets={queue: answer}, count=count)
                return
            pipe = messages.redis.pipeline(transaction=False)
            for raw in block:
                pipe.lrem(key, -1, raw)  # type: ignore[arg-type]  # bytes are as good
            try:
                deleted = sum(map(int, pipe.execute()))
            except connection.connection_errors as error:
                raise _unsure(doing, queue, f"{count:,} are gone for certain") from error
            count += deleted
            taken += len(block) - deleted
            doing.tell(count=count, stage=f"{count:,} deleted")
    words = f"{taken:,} were taken by workers meanwhile" if taken else ""
    doing.tell(targets={queue: Answer("confirmed", words)}, count=count)


def _matching(messages: Messages, key: str, task: str) -> Iterator[list[bytes]]:
    """Yield the messages of one task name, the next to be served first, to be deleted at once."""
    complete = False
    while not complete:
        found: list[bytes] = []
        size = 0
        complete = True
        for block in messages.walk(key):
            for raw in block:
                message = messages.read(raw)
                if message is not None and message.task == task:
                    found.append(raw)
                    size += len(raw)
            if len(found) >= ROUND or size >= ROUND_BYTES:
                complete = False
                break
        for first in range(0, len(found), AT_ONCE):
            yield found[first : first + AT_ONCE]


def _unsure(doing: Doing, queue: str, words: str) -> Unsure:
    """Tell what is known of a purge that the connection did not outlive."""
    text = f"the connection broke while messages were deleted: {words}"
    doing.tell(targets={queue: Answer("unsure", text)})
    return Unsure(text)
