"""Lists the workers with a remote-control mailbox, including those too busy to reply.

A worker with the solo pool neither replies nor sends heartbeats while it runs a task. A client that
has just started does not know it, and would report an operation as confirmed by all workers
although the only relevant one has not received it. RabbitMQ does not list queues to clients;
kombu's transports for other brokers keep the bindings of an exchange in a table.

The mailbox of a killed worker stays in the table for a while, or forever before kombu 5.7. Redis
returns how many subscribers received a published message.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...model.entities.worker import BEAT_PREFIX
from ...settings import Settings
from .broker import BrokerConnection
from .redis.fanout import publish

if TYPE_CHECKING:
    from kombu.connection import Connection

NO_WORKER: Final = "nobody@celtop.invalid"
"""A name that no worker has: every worker receives a message to it, and ignores it."""


class Mailboxes(NamedTuple):
    """The workers that may receive a broadcast."""

    names: frozenset[str]
    """Workers with a mailbox, running or not."""
    listening: int
    """Number of workers that are subscribed."""

    def count_silent(self, replied: Collection[str]) -> int:
        """Return the number of subscribed workers that did not reply."""
        return max(0, self.listening - len(self.names.intersection(replied)))


def mailboxes(settings: Settings) -> Mailboxes | None:
    """Return the remote-control mailboxes; None if the broker does not list them.

    Raises:
        Exception: Any error of the transport when the connection is lost.
    """
    broker = BrokerConnection(settings)
    if not broker.is_redis:
        return None
    with broker.connection() as connection:
        return mailboxes_on(connection, settings.control_exchange)


def mailboxes_on(connection: Connection, namespace: str, listening: int | None = None) -> Mailboxes:
    """Return the remote-control mailboxes over a connection to Redis.

    Args:
        connection: The connection.
        namespace: Celery's `control_exchange`.
        listening: The number of clients that received a command; None sends one.

    Raises:
        Exception: Any error of the transport.
    """
    exchange = f"{namespace}.pidbox"
    channel: Any = connection.default_channel
    bound = {queue.removesuffix(f".{exchange}") for *_, queue in channel.get_table(exchange)}
    workers = frozenset(name for name in bound if not name.startswith(BEAT_PREFIX))
    if listening is None:
        listening = _count_listeners(channel, exchange) if workers else 0
    return Mailboxes(workers, max(0, listening - len(bound - workers)))


def _count_listeners(channel: Any, exchange: str) -> int:
    """Return the number of subscribers, which is the reply of `PUBLISH`."""
    body = json.dumps({"method": "ping", "arguments": {}, "destination": [NO_WORKER]})
    return publish(channel, exchange, "", body, {"clock": 1})
