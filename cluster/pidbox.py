"""Celery's remote control protocol from the asking side: questions out, answers as they come.

kombu's own `Mailbox` asks one question at a time, waits a full second after the last answer, and
retries a failed send for ever. Here several questions are under way at once, each answer is handed
on at once, and the round ends when all who were asked have answered.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
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


class Unreadable(NamedTuple):
    """An answer in a serializer that is not accepted; whose it is, its body would tell."""

    content_type: str


class Pidbox:
    """Asks over one connection; not to be shared between threads."""

    def __init__(self, connection: Connection, namespace: str, accept: Iterable[str]) -> None:
        from kombu import Exchange, Queue

        self._connection = connection
        self._accept = list(accept)
        self._id = str(uuid.uuid4())
        self._declared = False
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
        self, command: str, destination: Sequence[str] | None = None, ticket: str | None = None
    ) -> None:
        """Send a command to all workers, or to those named; answers come only with a ticket."""
        from kombu import Producer

        if command in FORBIDDEN:
            raise ValueError(f"{command} crashes workers")
        message: dict[str, Any] = {
            "method": command,
            "arguments": {},
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
        channel = self._connection.default_channel
        Producer(channel, auto_declare=False).publish(
            message,
            exchange=self._exchange.name,
            declare=[self._exchange],
            headers={"clock": 1, "expires": time.time() + EXPIRES},
            serializer="json",
            retry=False,
        )

    def ask(
        self,
        commands: Sequence[str],
        on_reply: Callable[[Reply | Unreadable], object],
        done: Callable[[float], bool],
        destination: Sequence[str] | None = None,
    ) -> None:
        """Send commands and hand on each answer, until `done(seconds since the last one)`.

        Raises:
            Exception: Whatever the transport raises when the connection is lost.
        """
        from kombu import Consumer

        tickets: dict[str, str] = {}
        last = time.monotonic()

        def on_message(message: Any) -> None:
            nonlocal last
            command = tickets.get(message.headers.get("ticket", ""))
            if command is not None:
                last = time.monotonic()
                for reply in _read(message, command):
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
            for command in commands:
                ticket = str(uuid.uuid4())
                tickets[ticket] = command
                self.tell(command, destination, ticket)
            while not done(time.monotonic() - last):
                try:
                    self._connection.drain_events(timeout=_STEP)
                except TimeoutError:
                    continue

    def close(self) -> None:
        """Remove our reply queue from the broker."""
        self._replies(self._connection.default_channel).delete()


def _read(message: Any, command: str) -> Iterable[Reply | Unreadable]:
    from kombu.exceptions import ContentDisallowed

    try:
        body = message.decode()
    except ContentDisallowed:
        return [Unreadable(str(message.content_type))]
    except Exception as error:  # a serializer may raise anything on a broken body
        return [Unreadable(f"{message.content_type} ({type(error).__name__})")]
    if not isinstance(body, dict):
        return []
    return [_reply(str(worker), command, value) for worker, value in body.items()]


def _reply(worker: str, command: str, value: Any) -> Reply:
    error = value.get("error") if isinstance(value, dict) and len(value) == 1 else None
    return Reply(worker, command, value, None if error is None else str(error))
