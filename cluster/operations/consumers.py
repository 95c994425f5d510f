"""What workers consume, and having them do so or not; for acts that go on for a while.

A worker answers `cancel_consumer` and `add_consumer` before it does either, so their answers tell
nothing: what counts is what `active_queues` says afterwards.

To a worker that has heard of a queue (it was started with it, or told of it since), `add_consumer`
is only the name: it declares the queue just as before, and ignores whatever else is said. One that
was restarted meanwhile goes by what it is told, and on RabbitMQ a queue that is declared otherwise
than it is (a quorum queue as a classic one) breaks its connection, again at each attempt. So all of
it is kept, and told.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...model.observations import InspectReply
from ...model.operations.commands import Consumer
from ..connection.remote_control import RemoteControl, Reply, Unreadable
from ..polling.queue_depths import is_internal
from .running import OperationContext

if TYPE_CHECKING:
    from kombu.connection import Connection

PATIENCE: Final = 1.5
"""Seconds after the last answer in which somebody else may still answer."""
FIRST_LOOK: Final = 0.7
"""Seconds in which those whom nobody expects may make themselves known."""
LONGEST_ROUND: Final = 60.0
"""Seconds after which a round of questions is broken off, with the connection."""
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
"""Of a queue, as kombu names them, besides those that `Consumer` has fields for."""

Replies = dict[str, dict[str, Any]]
"""What workers said, by worker and command; errors are not among it."""


class Talk:
    """Asks and tells workers over one connection.

    Args:
        connection: Established, and the caller's to close.
        doing: For whom.
    """

    def __init__(self, connection: Connection, doing: OperationContext) -> None:
        settings = doing.broker.settings
        self._doing = doing
        self.patient = True
        """Whether answers are awaited even when the act is taken back."""
        self.unreadable: str | None = None
        """The serializer of answers that could not be read."""
        self._pidbox = RemoteControl(connection, settings.control_exchange, settings.accept_content)

    def ask(
        self, commands: Sequence[str], workers: Sequence[str] | None, expected: Iterable[str] = ()
    ) -> Replies:
        """Return what workers answer; those that say nothing are not in it.

        Args:
            commands: What to ask.
            workers: Whom; None is everyone.
            expected: With None: who must have answered before it is over early.

        Raises:
            Exception: Whatever the transport raises when the connection is lost.
        """
        replies: Replies = {}
        awaited = set(expected if workers is None else workers)
        may_end = time.monotonic() + (FIRST_LOOK if workers is None else 0.0)

        def took(reply: Reply | Unreadable) -> None:
            if isinstance(reply, Unreadable):
                self.unreadable = reply.content_type
            elif reply.error is None:
                replies.setdefault(reply.worker, {})[reply.command] = reply.value

        def done(quiet: float) -> bool:
            if self._doing.cancelled.is_set() and not self.patient:
                return True
            complete = {name for name, its in replies.items() if len(its) == len(commands)}
            return quiet > PATIENCE or (complete >= awaited and time.monotonic() > may_end)

        with self._doing.broker.meter.limit(LONGEST_ROUND):
            self._pidbox.ask(commands, took, done, workers)
        for worker, its in replies.items():
            if "active_queues" in its:
                at = self._doing.clock()
                told = InspectReply(worker, "active_queues", its["active_queues"], at)
                self._doing.inbox.put(told)
        return replies

    def cancel(self, queue: str, workers: Sequence[str]) -> None:
        """Have workers consume a queue no more."""
        self._tell("cancel_consumer", workers, {"queue": queue})

    def add(self, queue: str, consumers: Sequence[Consumer]) -> None:
        """Have each worker consume a queue in its own way; those alike are told at once."""
        alike: dict[bytes, list[str]] = {}
        for one in consumers:
            way = {
                "queue": queue,
                "exchange": one.exchange,
                "exchange_type": one.exchange_type,
                "routing_key": one.routing_key,
                **one.options,
            }
            alike.setdefault(msgspec.json.encode(way), []).append(one.worker)
        for encoded, workers in alike.items():
            self._tell("add_consumer", workers, msgspec.json.decode(encoded))

    def shut_down(self, workers: Sequence[str]) -> None:
        """Have workers end; they do not answer."""
        self._tell("shutdown", workers, {})

    def close(self) -> None:
        """Remove our mailbox from the broker."""
        with self._doing.limited():
            self._pidbox.close()

    def _tell(self, command: str, workers: Sequence[str], arguments: dict[str, Any]) -> None:
        with self._doing.limited():
            self._pidbox.tell(command, workers, arguments=arguments)


@contextmanager
def talking(doing: OperationContext) -> Iterator[tuple[Talk, tuple[type[Exception], ...]]]:
    """Return who talks to workers, and what is raised when the connection is lost.

    Raises:
        Exception: Whatever the transport raises; `faults.explain` puts it into words.
    """
    with doing.connection() as connection:
        talk = Talk(connection, doing)
        errors = tuple(connection.connection_errors)
        try:
            yield talk, errors
        finally:
            with suppress(Exception):
                talk.close()


def consuming(replies: Mapping[str, Mapping[str, Any]], worker: str) -> dict[str, Consumer] | None:
    """Return how a worker consumes which queues; None if it did not answer `active_queues`."""
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
