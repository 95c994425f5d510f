"""Finds out how a queue is declared before workers are made to consume it.

A worker that does not know a queue declares it with the arguments of the command. On RabbitMQ a
queue declared differently from how it is (a quorum queue as a classic one) breaks the worker's
connection, again at each attempt. So the declaration is taken from a worker that consumes the
queue, or else from the broker, which names one difference at a time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ....model.operations.commands import AddConsumer, Consumer
from ..mailbox import Mailbox
from ..running import OperationContext, Refused
from .consumers import consuming

if TYPE_CHECKING:
    from kombu.connection import Connection

MAX_DIFFERENCES: Final = 16
_DIFFERENCE: Final = re.compile(
    r"inequivalent arg '(?P<name>[\w-]+)' for queue .*but current is "
    r"(?:the value )?'(?P<value>[^']*)'(?: of type '(?P<type>\w+)')?"
)
_PROPERTIES: Final = ("durable", "auto_delete")
"""Properties of a queue, besides its arguments, that may differ; both are true or false."""


def add_consumer_arguments(
    context: OperationContext, mailbox: Mailbox, operation: AddConsumer
) -> dict[str, Any]:
    """Return the arguments of `add_consumer`: the user's, completed by the known declaration.

    Raises:
        Refused: The queue exists on RabbitMQ, and its declaration is unknown.
        Exception: Any error of the transport; nothing was sent to any worker.
    """
    arguments = operation.arguments
    known = _known_consumer(context, mailbox, operation.queue)
    if known is not None:
        if operation.exchange is None and operation.routing_key is None:
            arguments |= {
                "exchange": known.exchange,
                "exchange_type": known.exchange_type,
                "routing_key": known.routing_key,
            }
        return {**arguments, **known.options}
    if context.broker.is_amqp:
        with context.broker.connection() as connection, context.limited():
            return {**arguments, **_options_on_broker(connection, operation.queue)}
    return arguments


def _known_consumer(context: OperationContext, mailbox: Mailbox, queue: str) -> Consumer | None:
    """Return how any worker consumes the queue; None if no worker reports it."""
    found = mailbox.ask("active_queues", expected=context.roster.present())
    values = {name: {"active_queues": reply.value} for name, reply in found.items()}
    queues = (consuming(values, name) or {} for name in values)
    return next((its[queue] for its in queues if queue in its), None)


def _options_on_broker(connection: Connection, queue: str) -> dict[str, Any]:
    """Return how a queue is declared on RabbitMQ, as options of `add_consumer`; empty if it is not.

    This changes nothing: declaring a queue exactly as it is has no effect.
    """
    from amqp.exceptions import NotFound, PreconditionFailed

    properties: dict[str, Any] = {"durable": True, "auto_delete": False}
    arguments: dict[str, Any] = {}
    try:
        connection.channel().queue_declare(queue, passive=True)
        for _ in range(MAX_DIFFERENCES):
            try:
                connection.channel().queue_declare(queue, arguments=arguments, **properties)
                break
            except PreconditionFailed as error:
                _apply_difference(str(error), properties, arguments)
    except NotFound:
        return {}
    except connection.channel_errors as error:
        raise Refused(f"the broker replied: {' '.join(str(error).split())}") from error
    options = {} if properties["durable"] else {"durable": False}
    options |= {"auto_delete": True} if properties["auto_delete"] else {}
    return {**options, "queue_arguments": arguments} if arguments else options


def _apply_difference(text: str, properties: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Apply the difference that RabbitMQ names in its error.

    Raises:
        Refused: It names none, or one that was applied already.
    """
    found = _DIFFERENCE.search(text)
    if found is not None:
        known = properties if found["name"] in _PROPERTIES else arguments
        value = _value(found)
        if known.get(found["name"]) != value:
            known[found["name"]] = value
            return
    raise Refused(
        "the queue exists, and a worker that declares it differently would lose its connection; "
        f"the broker replied: {' '.join(text.split())}"
    )


def _value(found: re.Match[str]) -> Any:
    value, kind = found["value"], found["type"]
    if kind in (None, "bool") and value in ("true", "false"):
        return value == "true"
    return value if kind in (None, "longstr") else int(value)
