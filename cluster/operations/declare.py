"""How a queue is declared that workers are told to consume.

A worker that has never heard of a queue declares it by what it is told. On RabbitMQ a queue that is
declared otherwise than it is (a quorum queue as a classic one) breaks the worker's connection, and
again at each attempt. So it is found out before: from a worker that consumes it, or else from the
broker, which names one difference at a time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ...model.operations.commands import AddConsumer, Consumer
from .ask import Asking
from .consumers import consuming
from .running import OperationContext, Refused

if TYPE_CHECKING:
    from kombu.connection import Connection

MOST_DIFFERENCES: Final = 16
_DIFFERENCE: Final = re.compile(
    r"inequivalent arg '(?P<name>[\w-]+)' for queue .*but current is "
    r"(?:the value )?'(?P<value>[^']*)'(?: of type '(?P<type>\w+)')?"
)
_PROPERTIES: Final = ("durable", "auto_delete")
"""Of a queue, besides its arguments, that may differ; both are true or false."""


def arguments_of(doing: OperationContext, mailbox: Asking, command: AddConsumer) -> dict[str, Any]:
    """Return the arguments of `add_consumer`: what the user says, and what is known besides.

    Raises:
        Refused: RabbitMQ has the queue, and nobody can tell how it was declared.
        Exception: Whatever the transport raises; no worker was told anything.
    """
    told = command.arguments
    way = _way_of_others(doing, mailbox, command.queue)
    if way is not None:
        if command.exchange is None and command.routing_key is None:
            told |= {
                "exchange": way.exchange,
                "exchange_type": way.exchange_type,
                "routing_key": way.routing_key,
            }
        return {**told, **way.options}
    if doing.broker.is_amqp:
        with doing.connection() as connection, doing.limited():
            return {**told, **_options_on_broker(connection, command.queue)}
    return told


def _way_of_others(doing: OperationContext, mailbox: Asking, queue: str) -> Consumer | None:
    """Return how some worker consumes the queue; None if nobody says that it does."""
    present = doing.roster.present()
    replies = mailbox.wait(mailbox.send("active_queues"), present)
    told = {name: {"active_queues": reply.value} for name, reply in replies.items()}
    ways = (consuming(told, name) or {} for name in told)
    return next((way[queue] for way in ways if queue in way), None)


def _options_on_broker(connection: Connection, queue: str) -> dict[str, Any]:
    """Return how RabbitMQ has a queue declared, as `add_consumer` takes it; empty if it has none.

    Nothing is changed: what is declared just as it is stays as it is.
    """
    from amqp.exceptions import NotFound, PreconditionFailed

    properties: dict[str, Any] = {"durable": True, "auto_delete": False}
    arguments: dict[str, Any] = {}
    try:
        connection.channel().queue_declare(queue, passive=True)
        for _ in range(MOST_DIFFERENCES):
            try:
                connection.channel().queue_declare(queue, arguments=arguments, **properties)
                break
            except PreconditionFailed as error:
                _learn(str(error), properties, arguments)
    except NotFound:
        return {}
    except connection.channel_errors as error:
        raise Refused(f"the broker says {' '.join(str(error).split())}") from error
    options = {} if properties["durable"] else {"durable": False}
    options |= {"auto_delete": True} if properties["auto_delete"] else {}
    return {**options, "queue_arguments": arguments} if arguments else options


def _learn(text: str, properties: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Take over from RabbitMQ's complaint how a queue was declared.

    Raises:
        Refused: It does not say, or what it says was known.
    """
    found = _DIFFERENCE.search(text)
    if found is not None:
        known = properties if found["name"] in _PROPERTIES else arguments
        value = _value(found)
        if known.get(found["name"]) != value:
            known[found["name"]] = value
            return
    raise Refused(
        "the queue exists, and a worker that declares it otherwise loses its connection; the "
        f"broker says {' '.join(text.split())}"
    )


def _value(found: re.Match[str]) -> Any:
    value, kind = found["value"], found["type"]
    if kind in (None, "bool") and value in ("true", "false"):
        return value == "true"
    return value if kind in (None, "longstr") else int(value)
