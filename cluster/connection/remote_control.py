"""Celery's remote control protocol from the asking side: questions out, answers as they come.

kombu's own `Mailbox` asks one question at a time, waits a full second after the last answer, and
retries a failed send for ever. Here several questions are under way at once, each answer is handed
on at once, and the round ends when all who were asked have answered.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from kombu.connection import Connection

FORBIDDEN: Final = frozenset({"election"})
"""Commands that crash the worker that gets them."""
EXPIRES: Final = 10.0
"""Seconds after which a worker that was busy need not answer any more."""
_STEP: Final = 0.25
"""Seconds between two looks at whether the round is over."""


class Reply(NamedTuple):
    """What one worker answered to one command."""

    worker: str
    command: str
    value: Any
    error: str | None
    ticket: str = ""
    """Which of several equal questions it answers, as `RemoteControl.put` returned it."""


class Unreadable(NamedTuple):
    """An answer in a serializer that is not accepted; whose it is, its body would tell."""

    content_type: str


class RemoteControl:
    """Asks over one connection; not to be shared between threads."""

    def __init__(self, connection: Connection, namespace: str, accept: Iterable[str]) -> None:
        from kombu import Exchange, Queue

        self._connection = connection
        self._accept = list(accept)
        self._id = str(uuid.uuid4())
        self._declared = False
        self._told = False
        self._tickets: dict[str, str] = {}
        self._exchange = Exchange(
            f"{namespace}.pidbox", type="fanout", durable=False, delivery_mode="transient"
        )
        replies = Exchange(
            f"reply.{namespace}.pidbox", type="direct", durable=False, delivery_mode="transient"
        )
        self._replies = Queue(
            f"{self._id}.{replies.name}",
            exchange=replies,
            routing_key=self._id,
            durable=False,
            auto_delete=True,
            expires=60.0,
        )

    def tell(
        self,
        command: str,
        destination: Sequence[str] | None = None,
        ticket: str | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a command to all workers, or to those named; answers come only with a ticket."""
        from kombu import Producer

        if command in FORBIDDEN:
            raise ValueError(f"{command} crashes workers")
        self.prepare()
        message: dict[str, Any] = {
            "method": command,
            "arguments": dict(arguments or {}),
            "destination": list(destination) if destination is not None else None,
            "pattern": None,
            "matcher": None,
        }
        if ticket:
            message |= {
                "ticket": ticket,
                "reply_to": {
                    "exchange": self._replies.exchange.name,
                    "routing_key": self._id,
                },
            }
        Producer(self._connection.default_channel, auto_declare=False).publish(
            message,
            exchange=self._exchange.name,
            headers={"clock": 1, "expires": time.time() + EXPIRES},
            serializer="json",
            retry=False,
        )

    def prepare(self) -> None:
        """Do all that comes before a command is sent: what fails in here has sent nothing."""
        if not self._told:
            self._exchange(self._connection.default_channel).declare()
            self._told = True

    def put(
        self,
        command: str,
        destination: Sequence[str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> str:
        """Send a command whose answers go to whom `listening` has; return their ticket."""
        ticket = str(uuid.uuid4())
        self._tickets[ticket] = command
        self.tell(command, destination, ticket, arguments)
        return ticket

    @contextmanager
    def listening(self, on_reply: Callable[[Reply | Unreadable], object]) -> Iterator[None]:
        """Hand on the answers to all that is put in here, whenever `drain` is called.

        Raises:
            Exception: Whatever the transport raises when the connection is lost.
        """
        from kombu import Consumer

        def on_message(message: Any) -> None:
            ticket = str(message.headers.get("ticket", ""))
            command = self._tickets.get(ticket)
            if command is not None:
                for reply in _read(message, command, ticket):
                    on_reply(reply)

        channel = self._connection.default_channel
        queue = self._replies(channel)
        if not self._declared:
            queue.declare()
            # Over AMQP the queue goes with its last consumer, at the end of the round.
            self._declared = self._connection.transport.driver_type == "redis"
        consumer = Consumer(
            channel,
            [queue],
            on_message=on_message,
            accept=self._accept,
            no_ack=True,
            auto_declare=False,
        )
        with consumer:
            yield
        self._tickets.clear()

    def drain(self, seconds: float = _STEP) -> None:
        """Wait for an answer, for so long at most."""
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=seconds)

    def ask(
        self,
        commands: Sequence[str],
        on_reply: Callable[[Reply | Unreadable], object],
        done: Callable[[float], bool],
        destination: Sequence[str] | None = None,
        arguments: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Send commands and hand on each answer, until `done(seconds since the last one)`.

        Args:
            commands: What to ask, all at once.
            on_reply: Called with each answer.
            done: Whether it is over.
            destination: Whom to ask; None is everyone.
            arguments: By command, of those that take any.

        Raises:
            Exception: Whatever the transport raises when the connection is lost.
        """
        last = time.monotonic()

        def took(reply: Reply | Unreadable) -> None:
            nonlocal last
            last = time.monotonic()
            on_reply(reply)

        with self.listening(took):
            for command in commands:
                self.put(command, destination, (arguments or {}).get(command))
            while not done(time.monotonic() - last):
                self.drain()

    def close(self) -> None:
        """Remove our reply queue from the broker."""
        self._replies(self._connection.default_channel).delete()


def _read(message: Any, command: str, ticket: str) -> Iterable[Reply | Unreadable]:
    from kombu.exceptions import ContentDisallowed

    try:
        body = message.decode()
    except ContentDisallowed:
        return [Unreadable(str(message.content_type))]
    except Exception as error:  # a serializer may raise anything on a broken body
        return [Unreadable(f"{message.content_type} ({type(error).__name__})")]
    if not isinstance(body, dict):
        return []
    return [_reply(str(worker), command, value, ticket) for worker, value in body.items()]


def _reply(worker: str, command: str, value: Any, ticket: str) -> Reply:
    error = value.get("error") if isinstance(value, dict) and len(value) == 1 else None
    return Reply(worker, command, value, None if error is None else str(error), ticket)
