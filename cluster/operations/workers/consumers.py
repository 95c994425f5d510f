"""The queues that workers consume, and changing them; for operations that take a while.

A worker replies to `cancel_consumer` and `add_consumer` before it does either, so these replies
prove nothing: what counts is the reply to `active_queues` afterwards.

A worker that has consumed a queue before needs only its name in `add_consumer`.
A worker that was restarted meanwhile declares the queue with the arguments, and a wrong declaration
breaks its connection (see `declare`). So all arguments are kept and sent.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....model.entities.queue import is_internal
from ....model.observations import InspectReply
from ....model.operations.commands import Consumer
from ...connection.remote_control import RemoteControl
from ..running import OperationContext

if TYPE_CHECKING:
    from kombu.connection import Connection

DISCOVERY_TIME: Final = 0.7
"""Seconds in which workers that are not expected may reply."""
ROUND_TIMEOUT: Final = 60.0
"""Seconds after which waiting for replies ends, together with the connection."""
OPTIONS: Final = (
    "queue_arguments",
    "binding_arguments",
    "consumer_arguments",
    "exclusive",
    "auto_delete",
    "expires",
    "message_ttl",
    "max_length",
    "max_length_bytes",
    "max_priority",
)
"""The further options of a queue, by their names in kombu."""


class ConsumerControl:
    """Inspects workers and changes their consumers over one connection."""

    def __init__(self, connection: Connection, context: OperationContext) -> None:
        self._context = context
        self.ignore_cancel = True
        """Whether replies are awaited even if the operation has been cancelled."""
        self.unreadable: str | None = None
        """The serializer of replies that could not be read."""
        self._control = RemoteControl(connection, context.broker)

    def inspect(
        self,
        commands: Sequence[str],
        workers: Collection[str],
        *,
        everyone: bool = False,
    ) -> dict[str, dict[str, Any]]:
        """Return the replies to inspect commands by worker and command, without errors.

        With `everyone`, all workers are asked, not only those that are expected to reply.

        Raises:
            Exception: Any error of the transport when the connection is lost.
        """
        cancelled = self._context.cancelled.is_set
        with self._context.broker.meter.limit(ROUND_TIMEOUT):
            gathered = self._control.gather(
                commands,
                workers,
                destination=None if everyone else tuple(workers),
                discovery_time=DISCOVERY_TIME if everyone else 0.0,
                cancelled=lambda: cancelled() and not self.ignore_cancel,
            )
        self.unreadable = next(iter(gathered.unreadable), self.unreadable)
        replies = gathered.values()
        for worker, values in replies.items():
            if "active_queues" in values:
                at = time.time()
                queues = values["active_queues"]
                self._context.inbox.put(InspectReply(worker, "active_queues", queues, at))
        return replies

    def cancel(self, queue: str, workers: Sequence[str]) -> None:
        """Stop workers from consuming a queue."""
        self._broadcast("cancel_consumer", workers, {"queue": queue})

    def add(self, queue: str, consumers: Sequence[Consumer]) -> None:
        """Make each worker consume a queue in its own way, with one message for each way."""
        workers_by_arguments: dict[bytes, list[str]] = {}
        for one in consumers:
            arguments = {
                "queue": queue,
                "exchange": one.exchange,
                "exchange_type": one.exchange_type,
                "routing_key": one.routing_key,
                **one.options,
            }
            workers_by_arguments.setdefault(msgspec.json.encode(arguments), []).append(one.worker)
        for encoded, workers in workers_by_arguments.items():
            self._broadcast("add_consumer", workers, msgspec.json.decode(encoded))

    def shut_down(self, workers: Sequence[str]) -> None:
        """Shut workers down; they do not reply."""
        self._broadcast("shutdown", workers, {})

    def close(self) -> None:
        """Delete our reply queue from the broker."""
        with self._context.limited():
            self._control.close()

    def _broadcast(self, command: str, workers: Sequence[str], arguments: dict[str, Any]) -> None:
        with self._context.limited():
            self._control.broadcast(command, workers, arguments)


@contextmanager
def consumer_control(
    context: OperationContext,
) -> Iterator[tuple[ConsumerControl, tuple[type[Exception], ...]]]:
    """Open a connection to control consumers; also return the exceptions of a lost connection.

    Raises:
        Refused: The broker accepts no messages.
        Exception: Any error of the transport; `errors.explain` puts it into words.
    """
    context.require_messages()
    with context.broker.connection() as connection:
        control = ConsumerControl(connection, context)
        errors = tuple(connection.connection_errors)
        try:
            yield control, errors
        finally:
            with suppress(Exception):
                control.close()


def consuming(replies: Mapping[str, Mapping[str, Any]], worker: str) -> dict[str, Consumer] | None:
    """Return how a worker consumes its queues; None if it did not reply to `active_queues`."""
    queues = replies.get(worker, {}).get("active_queues")
    if not isinstance(queues, list):
        return None
    return {
        queue["name"]: _consumer(worker, queue)
        for queue in queues
        if isinstance(queue, dict)
        and isinstance(queue.get("name"), str)
        and not is_internal(queue["name"])
    }


def _consumer(worker: str, queue: dict[str, Any]) -> Consumer:
    exchange = queue.get("exchange")
    if not isinstance(exchange, dict):
        exchange = {}
    options = {name: queue[name] for name in OPTIONS if queue.get(name)}
    options |= {"durable": False} if queue.get("durable") is False else {}
    options |= {"exchange_durable": False} if exchange.get("durable") is False else {}
    if exchange.get("arguments"):
        options["exchange_arguments"] = exchange["arguments"]
    return Consumer(
        worker,
        exchange=_text(exchange.get("name")),
        exchange_type=_text(exchange.get("type")),
        routing_key=_text(queue.get("routing_key")),
        options=options,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
