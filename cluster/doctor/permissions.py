"""Tries what celtop and workers need of the broker, without changing anything that they use.

Redis refuses a command, key or channel by its ACL, RabbitMQ the configuration of, writing to and
reading from names that match patterns. Neither lets a user ask for its own permissions, so each is
tried: on missing keys, with an exclusive queue of its own, and with a ping that no worker answers.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from ...model.entities.fault import Fault
from ..connection.broker import BrokerConnection
from ..connection.faults.errors import REDIS_RIGHTS, explain, reason_of
from ..connection.mailboxes import NO_WORKER

if TYPE_CHECKING:
    from kombu.connection import Connection

DENIED: Final = frozenset({"acl", "permission"})
"""Kinds of faults that are missing permissions; others are not of interest here."""
REDIS_ADVICE: Final = f"Grant what celtop and the workers need; for Redis: {REDIS_RIGHTS}"
AMQP_ADVICE: Final = (
    "Grant them: rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'; narrower patterns must "
    "match the queues and exchanges of the tasks, celery*, *.pidbox and celeryev*"
)


def permission_faults(connection: Connection, broker: BrokerConnection) -> tuple[Fault, ...]:
    """Return a fault for each permission that is missing.

    Raises:
        Exception: The connection was lost.
    """
    if broker.is_redis:
        return tuple(_redis_faults(connection, broker))
    if broker.is_amqp:
        return tuple(_amqp_faults(connection, broker))
    return ()


def _redis_faults(connection: Connection, broker: BrokerConnection) -> Iterator[Fault]:
    from redis import Redis
    from redis.exceptions import ResponseError

    channel: Any = connection.default_channel
    client: Any = Redis(connection_pool=channel.pool)
    prefix, exchange = broker.key_prefix, f"{broker.settings.control_exchange}.pidbox"
    key = f"{prefix}{uuid.uuid4()}.reply.{exchange}"
    ping = json.dumps({"method": "ping", "arguments": {}, "destination": [NO_WORKER]})
    tries: tuple[tuple[str, Callable[[], object]], ...] = (
        ("read queues", lambda: client.llen(f"{prefix}celery")),
        ("read messages", lambda: client.lrange(f"{prefix}celery", 0, 0)),
        ("read bindings", lambda: client.smembers(f"{prefix}_kombu.binding.{exchange}")),
        ("read unacknowledged messages", lambda: client.hlen(f"{prefix}unacked")),
        ("find queues", lambda: client.scan(0, match=key, count=1)),
        ("write queues", lambda: client.lpushx(key, "")),
        ("delete keys", lambda: client.delete(key)),
        ("receive replies", lambda: client.rpop(key)),
        ("use transactions", lambda: client.pipeline().llen(key).execute()),
        ("run scripts", lambda: client.eval("return 1", 0)),
        ("read the server's time", lambda: client.time()),
        ("send remote-control commands", lambda: _publish(channel, exchange, ping)),
        ("subscribe to events", lambda: _subscribe(client, prefix)),
    )
    for what, attempt in tries:
        try:
            attempt()
        except ResponseError as error:
            if explain(error, broker).kind in DENIED:
                reason = reason_of(error, broker)
                yield Fault("acl", f"the user may not {what}: {reason}", REDIS_ADVICE)


def _publish(channel: Any, exchange: str, body: str) -> None:
    from ..connection.redis.fanout import publish

    publish(channel, exchange, "", body, {"clock": 1})


def _subscribe(client: Any, prefix: str) -> None:
    subscription = client.pubsub()
    try:
        subscription.psubscribe(f"{prefix}{uuid.uuid4()}.celeryev/*")
        subscription.get_message(timeout=2.0)
    finally:
        subscription.close()


def _amqp_faults(connection: Connection, broker: BrokerConnection) -> Iterator[Fault]:
    settings = broker.settings
    pidbox, events = f"{settings.control_exchange}.pidbox", settings.event_exchange
    queue = f"{events}.{uuid.uuid4()}"
    ping = {"method": "ping", "arguments": {}, "destination": [NO_WORKER]}

    def declare(channel: Any) -> None:
        channel.queue_declare(queue, exclusive=True, auto_delete=False, durable=False)

    tries: tuple[tuple[str, Callable[[Any], object]], ...] = (
        ("configure queues for events and replies", declare),
        ("receive events", lambda channel: channel.queue_bind(queue, events, "#")),
        ("read messages", lambda channel: channel.basic_get(queue, no_ack=True)),
        ("send remote-control commands", lambda channel: _send(channel, pidbox, ping)),
        ("delete its queues", lambda channel: channel.queue_delete(queue)),
    )
    for what, attempt in tries:
        channel: Any = connection.channel()
        try:
            attempt(channel)
        except connection.channel_errors as error:
            # A missing exchange is no missing permission: no worker has declared it yet.
            if explain(error, broker).kind in DENIED:
                reason = reason_of(error, broker)
                yield Fault("permission", f"the user may not {what}: {reason}", AMQP_ADVICE)
        else:
            channel.close()


def _send(channel: Any, exchange: str, body: object) -> None:
    """Publish and wait until the broker has accepted the message: it refuses asynchronously."""
    from kombu import Producer

    channel.exchange_declare(exchange, "fanout", passive=True)
    Producer(channel, auto_declare=False).publish(
        body, exchange=exchange, serializer="json", retry=False
    )
    channel.exchange_declare(exchange, "fanout", passive=True)
