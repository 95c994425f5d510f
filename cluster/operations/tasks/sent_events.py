"""The `task-sent` events of messages that celtop has sent, as Celery's clients publish them.

No other event has the queue of a task (`celery/app/amqp.py`): without them, other monitors do not
know from which queue a worker received it, and a large retry makes their rates unknown.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...connection.broker import READ_TIMEOUT, BrokerConnection
from .compose import OutgoingMessage

if TYPE_CHECKING:
    from kombu.connection import Connection

MAX_EVENTS: Final = 20
"""Events in one message; workers send as many (`celery/events/dispatcher.py`)."""
_ROUTING_KEY: Final = "task.multi"
_TRANSIENT: Final = 1


class SentEvents:
    """Publishes the events, several in a message; after a failure the rest is left out."""

    def __init__(self, broker: BrokerConnection, connection: Connection) -> None:
        self._broker = broker
        self._connection = connection
        self._events: list[dict[str, Any]] = []
        self._channel: Any = None
        # Some brokers bill each message.
        self._works = not broker.settings.frugal

    def add(self, one: OutgoingMessage, at: float) -> None:
        """Add the event of a message that was sent at `at`, in epoch seconds."""
        if not self._works:
            return
        from celery.events import Event
        from celery.utils.time import utcoffset

        sent, headers = one.sent, one.message.headers
        self._events.append(
            Event(
                "task-sent",
                hostname=f"celtop{os.getpid()}@{socket.gethostname()}",
                utcoffset=utcoffset(),
                pid=os.getpid(),
                clock=0,
                timestamp=at,
                uuid=sent.id,
                root_id=headers.get("root_id"),
                parent_id=headers.get("parent_id"),
                name=sent.name,
                args=sent.args,
                kwargs=sent.kwargs,
                retries=headers.get("retries"),
                eta=headers.get("eta"),
                expires=headers.get("expires"),
                queue=sent.queue,
                exchange="",
                routing_key=sent.queue,
            )
        )
        if len(self._events) >= MAX_EVENTS:
            self._flush()

    def close(self) -> None:
        """Publish the rest."""
        self._flush()

    def _flush(self) -> None:
        events, self._events = self._events, []
        if not (events and self._works):
            return
        try:
            with self._broker.meter.limit(READ_TIMEOUT):
                self._publish(events)
        except Exception:
            # The tasks are sent, and must not fail because other monitors lack their queues: a
            # permission may be missing, and each transport has errors of its own.
            self._works = False

    def _publish(self, events: list[dict[str, Any]]) -> None:
        name = self._broker.settings.event_exchange
        if self._channel is None:
            from celery.events.event import get_exchange

            # One of its own, which the broker closes if it refuses an event.
            self._channel = self._connection.channel()
            get_exchange(self._connection, name=name)(self._channel).declare()
        channel = self._channel
        message = channel.prepare_message(
            msgspec.json.encode(events).decode(),
            content_type="application/json",
            content_encoding="utf-8",
            headers={"hostname": events[0]["hostname"]},
            properties={"delivery_mode": _TRANSIENT},
        )
        # py-amqp: without waiting for the confirmation, the next task would get the error.
        publish = getattr(channel, "basic_publish_confirm", channel.basic_publish)
        publish(message, exchange=name, routing_key=_ROUTING_KEY)
