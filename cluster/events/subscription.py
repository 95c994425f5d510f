"""Subscribes to the events of a cluster, by kind of broker, and checks that it is alive.

On Redis this is a pattern subscription (`redis_subscription.py`), on every other transport a kombu
consumer.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..connection.faults.errors import Unresponsive
from .event_exchange import EventExchange
from .redis_subscription import RedisSubscription

if TYPE_CHECKING:
    from kombu import Consumer
    from kombu.connection import Connection

MISSED_HEARTBEATS: Final = 2.0
"""Heartbeat intervals without data after which an AMQP connection counts as dead."""
IDLE_PING_INTERVAL: Final = 30.0
"""Seconds between two pings of a Redis from which no events are received."""
MAX_WAIT: Final = 0.5
"""Seconds that a `drain` waits if nothing can wake it, so that the caller notices that it has to
stop."""
MAX_MESSAGES_PER_DRAIN: Final = 500
"""Messages handed on before `drain` returns, so that the caller can do other work."""


class Subscription(Protocol):
    """An active subscription."""

    alarm: str | None
    """Why the broker accepts no messages, in its own words, if it has reported that."""

    def drain(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a message and hand on all that have arrived.

        It may return earlier. Return whether there were any.
        """

    def wake(self) -> None:
        """Let `drain` return now, if that is possible; from any thread."""

    def check(self) -> bool:
        """Return whether anything proved that the connection works since the last call.

        Call it once a second.

        Raises:
            Unresponsive: The connection is dead although its socket is open.
        """

    def prove(self) -> None:
        """Have the broker send something soon, if that is possible."""

    def close(self) -> None:
        """Cancel the subscription; the caller closes the connection."""


def subscribe(events: EventExchange, ping_after: float) -> Subscription:
    """Subscribe to all events on an exchange.

    Args:
        events: The exchange, and what receives its messages.
        ping_after: Seconds without a message before a Redis server is pinged.

    Raises:
        Exception: Any error of the transport, also when it refuses the subscription.
    """
    transport = events.connection.transport
    if transport.driver_type == "redis":
        return RedisSubscription(events, ping_after)
    amqp = transport.driver_name == "py-amqp"
    subscription = (AmqpSubscription if amqp else KombuSubscription)(events.connection)
    subscription.consume(events)
    return subscription


def idle(connection: Connection) -> Subscription:
    """Return what watches a connection over which no events are received."""
    if connection.transport.driver_name == "py-amqp":
        return AmqpSubscription(connection)
    return IdleConnection(connection)


class KombuSubscription:
    """A temporary queue on the broker, with the same limits as Celery's event receiver."""

    alarm: str | None = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._consumer: Consumer | None = None

    def consume(self, events: EventExchange) -> None:
        """Receive the messages of an exchange."""
        from kombu import Consumer, Exchange, Queue

        connection = self._connection
        fanout = connection.transport.driver_type == "gcpubsub"
        queue = Queue(
            f"celeryev.{uuid.uuid4()}",
            exchange=Exchange(events.name, type="fanout" if fanout else "topic"),
            routing_key="#",
            durable=False,
            auto_delete=True,
            exclusive=True,
            message_ttl=5.0,
            expires=60.0,
        )

        def on_message(message: Any) -> None:
            events.on_body(message.body, message.content_type)

        def on_decode_error(message: Any, error: Exception) -> None:
            events.on_unreadable(str(error))

        self._consumer = Consumer(
            connection.default_channel,
            [queue],
            on_message=on_message,
            on_decode_error=on_decode_error,
            no_ack=True,
            auto_declare=False,
        )
        # Of all these requests only the last is answered; a refusal of any of them is raised then.
        self._consumer.queues[0].declare(nowait=True)
        self._consumer.consume()

    def drain(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a message and hand on all that have arrived."""
        received, timeout = False, min(timeout, MAX_WAIT)
        try:
            for _ in range(MAX_MESSAGES_PER_DRAIN):
                self._connection.drain_events(timeout=timeout)
                received, timeout = True, 0.0
        except TimeoutError:
            pass
        return received

    def wake(self) -> None:
        """Do nothing: `drain` does not wait long."""

    def check(self) -> bool:
        """Return True: these transports ask the broker for messages in each `drain`."""
        return True

    def prove(self) -> None:
        """Do nothing: `check` has proved it."""

    def close(self) -> None:
        """Cancel the consumer, which deletes the queue."""
        if self._consumer is not None:
            self._consumer.cancel()


class AmqpSubscription(KombuSubscription):
    """A temporary queue on RabbitMQ, whose heartbeats prove that the connection works.

    An alarm is reported after the first message that is published while it lasts.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._amqp: Any = connection.connection
        self._amqp.on_blocked = self._on_blocked
        self._amqp.on_unblocked = self._on_unblocked
        self._read_before = 0
        self._read_at = time.monotonic()

    def check(self) -> bool:
        """Send heartbeats, and return whether anything was received.

        This is needed under load as well: kombu does it only when idle, so no heartbeat would be
        sent and RabbitMQ would close the connection.
        """
        now = time.monotonic()
        proved: bool = self._amqp.bytes_recv != self._read_before
        if proved:
            self._read_before, self._read_at = self._amqp.bytes_recv, now
        elif now - self._read_at > MISSED_HEARTBEATS * (self._amqp.heartbeat or now):
            raise Unresponsive("no heartbeat from the broker")
        self._amqp.heartbeat_tick()
        return proved

    def prove(self) -> None:
        """Do nothing: the broker sends heartbeats by itself."""

    def close(self) -> None:
        """Do nothing: the queue is exclusive, so the broker deletes it with the connection."""

    def _on_blocked(self, reason: str) -> None:
        self.alarm = reason

    def _on_unblocked(self) -> None:
        self.alarm = None


class IdleConnection:
    """A connection without a consumer, which is pinged on Redis.

    On any other transport, what is sent over it shows whether it works.
    """

    alarm: str | None = None

    def __init__(self, connection: Connection) -> None:
        is_redis = connection.transport.driver_type == "redis"
        self._ping = connection.default_channel.client.ping if is_redis else None
        self._pinged_at = float("-inf")

    def drain(self, timeout: float) -> bool:
        """Wait: no message is expected."""
        time.sleep(min(timeout, MAX_WAIT))
        return False

    def wake(self) -> None:
        """Do nothing: `drain` does not wait long."""

    def check(self) -> bool:
        """Ping the broker every few seconds; return whether the connection has been proved."""
        now = time.monotonic()
        if self._ping is None or now - self._pinged_at < IDLE_PING_INTERVAL:
            return self._ping is None
        self._ping()
        self._pinged_at = now
        return True

    def prove(self) -> None:
        """Have the next check ping."""
        self._pinged_at = float("-inf")

    def close(self) -> None:
        """Do nothing: there is no subscription."""
