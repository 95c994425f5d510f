"""Which workers have a mailbox for remote control: also those too busy to say that they are there.

A worker of the solo pool is deaf and dumb while it runs a task. Who has just come has never heard
of it, and would tell of an act that everyone has confirmed it while the only worker that matters
has not heard of it. RabbitMQ shows nobody's queues to its clients; kombu's transports for other
brokers keep who is bound to an exchange in a table.

The mailbox of a worker that was killed stays in the table, for a while or (before kombu 5.7) for
ever. Redis tells how many were listening when something was published.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from ...settings import Settings
from .broker import BrokerConnection

TO_NOBODY: Final = "nobody@celtop.invalid"
"""No worker is called so: all that listen get such a message, and pass over it."""


class Mailboxes(NamedTuple):
    """Who may hear what is told to all workers."""

    names: frozenset[str]
    """Workers that have a mailbox, alive or not."""
    listening: int
    """How many are alive."""


def mailboxes(settings: Settings) -> Mailboxes | None:
    """Return who listens to remote control; None on a broker that does not tell.

    Raises:
        Exception: Whatever the transport raises when the connection is lost.
    """
    broker = BrokerConnection(settings)
    if not broker.is_redis:
        return None
    exchange = f"{settings.control_exchange}.pidbox"
    connection = broker.connect()
    try:
        channel: Any = connection.default_channel
        bound = {queue.removesuffix(f".{exchange}") for *_, queue in channel.get_table(exchange)}
        return Mailboxes(frozenset(bound), _listening(channel, exchange) if bound else 0)
    finally:
        connection.collect()


def _listening(channel: Any, exchange: str) -> int:
    """Return how many get a message to nobody, which is what `PUBLISH` answers."""
    body = json.dumps({"method": "ping", "arguments": {}, "destination": [TO_NOBODY]})
    message = channel.prepare_message(
        body, content_type="application/json", content_encoding="utf-8", headers={"clock": 1}
    )
    channel._inplace_augment_message(message, exchange, "")
    topic = channel._get_publish_topic(exchange, "")
    with channel.conn_or_acquire() as client:
        return int(client.publish(topic, json.dumps(message)))
