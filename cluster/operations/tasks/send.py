"""Sends tasks: new ones, and earlier ones again. Each is sent once; failures are reported.

All messages are composed before the first is sent, so that one that cannot be composed is refused
without affecting the others. A message counts as sent when the broker confirms it: RabbitMQ
confirms each (and returns those without a queue), Redis replies to the LPUSH. If the connection
breaks in between, one message is in doubt, and no further ones are sent.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....model.operations.commands import Retry, Trigger
from ....model.operations.outcome import Answer, PublishedTask
from ...connection.broker import READ_TIMEOUT
from ...connection.faults.errors import explain
from ..running import OperationContext, Refused, perform
from .compose import OutgoingMessage, again, new
from .sent_events import SentEvents

if TYPE_CHECKING:
    from kombu.connection import Connection

PERSISTENT: Final = 2
"""The delivery mode that Celery sends tasks in: RabbitMQ writes them to disk."""
REPORT_INTERVAL: Final = 0.2
"""Seconds between two progress reports."""
SEND_TIMEOUT: Final = 3 * READ_TIMEOUT
"""Seconds after which a broker that does not accept a message is given up."""
SOCKET_BUFFER: Final = 8_192
"""Bytes that any socket accepts without waiting for the other end."""


class Rejected(Exception):
    """The broker rejected a message; the text gives the reason."""


@perform.register
def trigger(operation: Trigger, context: OperationContext) -> None:
    """Send new tasks; the targets of the outcome are their ids.

    Raises:
        Refused: The only call cannot be sent.
    """
    now = time.time()
    outgoing: dict[str, OutgoingMessage] = {}
    refused: dict[str, Answer] = {}
    for place, call in enumerate(operation.calls, 1):
        try:
            one = new(call, now)
            outgoing[one.sent.id] = one
        except Refused as error:
            if len(operation.calls) == 1:
                raise
            # Without a message it has no id.
            refused[f"{call.name} ({place})"] = Answer("refused", str(error))
    _send(context, outgoing, refused)


@perform.register
def retry(operation: Retry, context: OperationContext) -> None:
    """Send tasks again, each under a new id; the targets of the outcome are the original ids."""
    now = time.time()
    outgoing: dict[str, OutgoingMessage] = {}
    refused: dict[str, Answer] = {}
    for original in operation.originals:
        try:
            outgoing[original.id] = again(original, now, with_links=operation.with_links)
        except Refused as error:
            refused[original.id] = Answer("refused", str(error))
    _send(context, outgoing, refused)


def _send(
    context: OperationContext,
    outgoing: Mapping[str, OutgoingMessage],
    refused: Mapping[str, Answer],
) -> None:
    context.report(targets=refused)
    if not outgoing:
        return
    context.require_messages()
    try:
        with context.broker.connection() as connection:
            _put_all(context, connection, outgoing)
    finally:
        left = [target for target in outgoing if target not in context.outcome.targets]
        why = "cancelled before it was sent" if context.cancelled.is_set() else ""
        context.report(targets=dict.fromkeys(left, Answer("unsent", why)))


def _put_all(
    context: OperationContext, connection: Connection, outgoing: Mapping[str, OutgoingMessage]
) -> None:
    """Publish messages until all are sent, or the connection breaks."""
    publisher = _Publisher(context, connection)
    events = SentEvents(context.broker, connection)
    channel_errors = tuple(connection.channel_errors)
    with _reports(context, len(outgoing)) as report, contextlib.closing(events):
        for target, one in outgoing.items():
            if context.cancelled.is_set():
                return
            try:
                publisher.put(one)
            except Rejected as error:
                report(target, Answer("refused", str(error)), None)
            except channel_errors as error:
                # The broker replied with an error: it has not accepted the message.
                words = context.broker.hide(" ".join(str(error).split()))
                report(target, Answer("refused", f"the broker replied: {words}"), None)
            except (struct.error, OverflowError, UnicodeError) as error:
                # A number or text that the protocol cannot carry, found before writing.
                report(target, Answer("refused", f"cannot encode the message: {error}"), None)
            except Exception as error:
                report(target, Answer("unsure", "the connection broke during sending"), None)
                context.report(fault=explain(error, context.broker))
                return
            else:
                sent = msgspec.structs.replace(one.sent, at=time.time())
                report(target, Answer("confirmed", f"sent as {sent.id}"), sent)
                events.add(one, sent.at)


Report = Callable[[str, Answer, PublishedTask | None], None]


@contextlib.contextmanager
def _reports(context: OperationContext, total: int) -> Iterator[Report]:
    """Collect verdicts and report them from time to time: there may be ten thousand."""
    answers: dict[str, Answer] = {}
    tasks: list[PublishedTask] = []
    reported_at = time.monotonic()

    def flush() -> None:
        nonlocal reported_at
        reported_at = time.monotonic()
        done = len(context.outcome.sent) + len(tasks)
        context.report(targets=answers, sent=tuple(tasks), stage=f"{done:,} of {total:,} sent")
        answers.clear()
        tasks.clear()

    def report(target: str, answer: Answer, sent: PublishedTask | None) -> None:
        answers[target] = answer
        if sent is not None:
            tasks.append(sent)
        if time.monotonic() - reported_at >= REPORT_INTERVAL:
            flush()

    try:
        yield report
    finally:
        flush()


class _Publisher:
    """Puts messages into queues; each that it has put is confirmed by the broker."""

    def __init__(self, context: OperationContext, connection: Connection) -> None:
        self._wire = context.broker.meter
        self._connection = connection
        self._returned = False
        self._channel = self._open()

    def put(self, one: OutgoingMessage) -> None:
        """Put a message into its queue.

        Raises:
            Rejected: The broker has no such queue, or refuses the message.
            Exception: Any error of the transport.
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
            # An error reply of the broker closes the channel.
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
        # A message that fits into the buffer is written at once: all earlier ones are confirmed.
        large = len(message.body) > SOCKET_BUFFER
        guard = self._wire.limit(SEND_TIMEOUT) if large else contextlib.nullcontext()
        try:
            with guard:
                # RabbitMQ drops messages without a queue, and reports only mandatory ones.
                channel.basic_publish_confirm(
                    message,
                    exchange="",
                    routing_key=queue,
                    mandatory=True,
                    confirm_timeout=READ_TIMEOUT,
                )
        except MessageNacked:
            raise Rejected("the broker rejected it: its queue is full or failing") from None
        if self._returned:
            raise Rejected(
                f"there is no queue {queue} on the broker; start a worker that declares it, or "
                "choose another"
            )
