"""Sending tasks: new ones, and earlier ones again. Each is sent once; what failed is told.

All messages are composed before the first is sent, so that one that cannot be is refused and
nothing else depends on it. A message counts as sent when the broker has said so: RabbitMQ confirms
each (and returns what has no queue), Redis answers the LPUSH. A connection that breaks in between
leaves one message of which nobody knows, and no more is tried.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...model.operations.commands import Retry, Trigger
from ...model.operations.outcome import Answer, PublishedTask
from ..connection.broker import READ_TIMEOUT
from ..connection.errors import explain
from .compose import OutgoingMessage, again, new
from .running import OperationContext, Refused

if TYPE_CHECKING:
    from kombu.connection import Connection

PERSISTENT: Final = 2
"""The delivery mode that Celery sends tasks in: RabbitMQ writes them to disk."""
TELL_EVERY: Final = 0.2
"""Seconds between two reports of how far it has come."""
LONGEST_SEND: Final = 3 * READ_TIMEOUT
"""Seconds after which a broker that does not take a message is given up."""
BUFFERED: Final = 8_192
"""Bytes that any socket takes without waiting for the other end."""


class NotTaken(Exception):
    """The broker refused a message, and said why."""


def trigger(doing: OperationContext) -> None:
    """Send new tasks; the targets of the outcome are their ids.

    Raises:
        Refused: A single call that cannot be sent.
        Exception: Whatever the transport raises if there is no connection; nothing was sent.
    """
    command = doing.outcome.operation
    assert isinstance(command, Trigger)
    now = doing.clock()
    outgoing: dict[str, OutgoingMessage] = {}
    refused: dict[str, Answer] = {}
    for place, call in enumerate(command.calls, 1):
        try:
            one = new(call, now)
            outgoing[one.sent.id] = one
        except Refused as error:
            if len(command.calls) == 1:
                raise
            # Without a message there is no id to tell it by.
            refused[f"{call.name} ({place})"] = Answer("refused", str(error))
    _send(doing, outgoing, refused)


def retry(doing: OperationContext) -> None:
    """Send tasks again, each under a new id; the targets of the outcome are the original ids.

    Raises:
        Exception: Whatever the transport raises if there is no connection; nothing was sent.
    """
    command = doing.outcome.operation
    assert isinstance(command, Retry)
    now = doing.clock()
    outgoing: dict[str, OutgoingMessage] = {}
    refused: dict[str, Answer] = {}
    for original in command.originals:
        try:
            outgoing[original.id] = again(original, now, with_links=command.with_links)
        except Refused as error:
            refused[original.id] = Answer("refused", str(error))
    _send(doing, outgoing, refused)


def _send(
    doing: OperationContext, outgoing: Mapping[str, OutgoingMessage], refused: Mapping[str, Answer]
) -> None:
    doing.tell(targets=refused)
    if not outgoing:
        return
    try:
        with doing.connection() as connection:
            _put_all(doing, connection, outgoing)
    finally:
        left = [target for target in outgoing if target not in doing.outcome.targets]
        why = "taken back before it was sent" if doing.cancelled.is_set() else ""
        doing.tell(targets=dict.fromkeys(left, Answer("unsent", why)))


def _put_all(
    doing: OperationContext, connection: Connection, outgoing: Mapping[str, OutgoingMessage]
) -> None:
    """Put messages into their queues until all are there, or the connection breaks."""
    door = _Door(doing, connection)
    channel_errors = tuple(connection.channel_errors)
    with _reports(doing, len(outgoing)) as report:
        for target, one in outgoing.items():
            if doing.cancelled.is_set():
                return
            try:
                door.put(one)
            except NotTaken as error:
                report(target, Answer("refused", str(error)), None)
            except channel_errors as error:
                # The broker answered, with an error: it has not taken the message.
                words = doing.broker.hide(" ".join(str(error).split()))
                report(target, Answer("refused", f"the broker says {words}"), None)
            except (struct.error, OverflowError, UnicodeError) as error:
                # A number or a text that the protocol cannot carry, found before it is written.
                report(target, Answer("refused", f"it cannot be written: {error}"), None)
            except Exception as error:
                report(target, Answer("unsure", "the connection broke while it was sent"), None)
                doing.tell(fault=explain(error, doing.broker))
                return
            else:
                sent = msgspec.structs.replace(one.sent, at=doing.clock())
                report(target, Answer("confirmed", f"sent as {sent.id}"), sent)


Report = Callable[[str, Answer, PublishedTask | None], None]


@contextlib.contextmanager
def _reports(doing: OperationContext, total: int) -> Iterator[Report]:
    """Collect what becomes of each target and tell it now and then: ten thousand are many."""
    answers: dict[str, Answer] = {}
    tasks: list[PublishedTask] = []
    told_at = time.monotonic()

    def tell() -> None:
        nonlocal told_at
        told_at = time.monotonic()
        done = len(doing.outcome.sent) + len(tasks)
        doing.tell(targets=answers, sent=tuple(tasks), stage=f"{done:,} of {total:,} sent")
        answers.clear()
        tasks.clear()

    def report(target: str, answer: Answer, sent: PublishedTask | None) -> None:
        answers[target] = answer
        if sent is not None:
            tasks.append(sent)
        if time.monotonic() - told_at >= TELL_EVERY:
            tell()

    try:
        yield report
    finally:
        tell()


class _Door:
    """Puts messages into queues; a message that it has put is the broker's."""

    def __init__(self, doing: OperationContext, connection: Connection) -> None:
        self._wire = doing.broker.meter
        self._connection = connection
        self._returned = False
        self._channel = self._open()

    def put(self, one: OutgoingMessage) -> None:
        """Put a message into its queue.

        Raises:
            NotTaken: The broker has no such queue, or refuses the message.
            Exception: Whatever the transport raises.
        """
        channel = self._channel
        message = channel.prepare_message(
            one.message.body,
            priority=one.message.priority,
            content_type=one.message.content_type,
            content_encoding=one.message.content_encoding,
            headers=one.message.headers,
            properties={
                "correlation_id": one.sent.id,
                "reply_to": "",
                "delivery_mode": PERSISTENT,
            },
        )
        if not hasattr(channel, "basic_publish_confirm"):
            channel.basic_publish(message, exchange="", routing_key=one.sent.queue)
            return
        if not channel.is_open:
            # An error that the broker answers with closes the channel.
            channel = self._channel = self._open()
        self._put_confirmed(channel, message, one.sent.queue)

    def _open(self) -> Any:
        channel = self._connection.channel()
        if hasattr(channel, "basic_publish_confirm"):
            channel.events["basic_return"].add(self._on_return)
        return channel

    def _on_return(self, *_: Any) -> None:
        self._returned = True

    def _put_confirmed(self, channel: Any, message: Any, queue: str) -> None:
        from amqp.exceptions import MessageNacked

        self._returned = False
        # What fits into the socket's buffer is written at once: each one before has been confirmed.
        large = len(message.body) > BUFFERED
        guard = self._wire.limit(LONGEST_SEND) if large else contextlib.nullcontext()
        try:
            with guard:
                # RabbitMQ throws away what has no queue, and says so only of what is mandatory.
                channel.basic_publish_confirm(
                    message,
                    exchange="",
                    routing_key=queue,
                    mandatory=True,
                    confirm_timeout=READ_TIMEOUT,
                )
        except MessageNacked:
            raise NotTaken("the broker did not take it: its queue is full or broken") from None
        if self._returned:
            raise NotTaken(f"there is no queue {queue} on the broker")
