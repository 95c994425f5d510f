"""Reads messages on RabbitMQ, which only the management API can do without consuming them.

`POST /api/queues/VHOST/QUEUE/get` takes messages and returns them to their places, marked as
redelivered (https://www.rabbitmq.com/docs/management, `ack_requeue_true`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import msgspec

from ....model.observations import QueuePeeked, WaitingMessage
from ....model.operations.commands import ReadMessages
from ....model.operations.outcome import Answer
from ....model.text.phrases import counted
from ...connection.management_api import TURNED_OFF, ManagementApi, ManagementError
from ...messages.envelope import Envelope, waiting_message
from ..running import OperationContext, Refused, perform

MAX_BODY_BYTES: Final = 50_000
"""Bytes of a body that are asked for; names and texts of arguments are in the headers."""
ABSENT: Final = "undefined"
"""The API's substitute for a header without a value."""


@perform.register
def read_messages(operation: ReadMessages, context: OperationContext) -> None:
    """Carry out a `ReadMessages`: the messages go to the model.

    Raises:
        Refused: The broker is no RabbitMQ, its management API cannot be used, or it has no such
            queue.
    """
    from amqp.exceptions import NotFound

    queue = operation.queue
    with context.broker.connection() as connection:
        api = ManagementApi(context.broker, connection)
        if not api.is_wanted:
            needed = "only RabbitMQ has the management API that this needs"
            raise Refused(str(TURNED_OFF) if context.broker.is_amqp else needed)
        try:
            connection.default_channel.queue_declare(queue, passive=True)
        except NotFound:
            raise Refused(f"there is no queue {queue} on the broker; check its name") from None
        host = quote(str(connection.virtual_host or "/"), safe="")
        body = {
            "count": operation.count,
            "ackmode": "ack_requeue_true",
            "encoding": "auto",
            "truncate": MAX_BODY_BYTES,
        }
        try:
            found = api.post(f"queues/{host}/{quote(queue, safe='')}/get", body)
        except ManagementError as error:
            raise Refused(str(error)) from error
        finally:
            api.close()
    peeked = _peeked(operation, found, context.redact)
    context.inbox.put(peeked)
    text = f"{counted(len(peeked.messages), 'message')} read"
    context.report(targets={queue: Answer("confirmed", text)}, count=len(peeked.messages))


def _peeked(operation: ReadMessages, found: Any, redact: Callable[[str], str]) -> QueuePeeked:
    queue = operation.queue
    messages: list[WaitingMessage] = []
    unreadable = 0
    read = found if isinstance(found, list) else []
    for number, one in enumerate(read):
        envelope = _envelope(one)
        if envelope is None or envelope.id is None or envelope.task is None:
            unreadable += 1
        else:
            message = waiting_message(envelope, queue, before=number)
            args, kwargs = (text and redact(text) for text in (message.args, message.kwargs))
            messages.append(msgspec.structs.replace(message, args=args, kwargs=kwargs))
    notes = (counted(unreadable, "unreadable message"),) if unreadable else ()
    return QueuePeeked(
        queue,
        tuple(messages),
        time.time(),
        complete=len(read) < operation.count,
        notes=notes,
        read=len(read),
        is_listing=True,
    )


def _envelope(found: Any) -> Envelope | None:
    """Return a message of the API as kombu's virtual transports store it."""
    if not isinstance(found, dict) or not isinstance(found.get("properties"), dict):
        return None
    properties: dict[str, Any] = found["properties"]
    headers = properties.get("headers")
    if not isinstance(headers, dict):
        return None
    present = {key: value for key, value in headers.items() if value != ABSENT}
    if found.get("redelivered") is True:
        present.setdefault("redelivered", True)
    encoded = {"body_encoding": "base64"} if found.get("payload_encoding") == "base64" else {}
    try:
        return msgspec.convert(
            {
                "headers": present,
                "body": found.get("payload", ""),
                "properties": {**properties, **encoded},
                "content-type": properties.get("content_type", ""),
                "content-encoding": properties.get("content_encoding", ""),
            },
            Envelope,
        )
    except msgspec.ValidationError:
        return None
