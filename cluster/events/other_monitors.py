"""Finds out whether another monitor receives the task events of this cluster.

Neither Redis nor AMQP lists the subscribers of a pattern to a client. But an empty batch of task
events, which every event receiver ignores, shows whether it reaches any: Redis returns the number
of its receivers, and RabbitMQ returns a mandatory message that reaches none. The workers' own
subscriptions (gossip) are to `worker.#`, and do not match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..connection.redis.fanout import publish

if TYPE_CHECKING:
    from kombu.connection import Connection

ROUTING_KEY: Final = "task.multi"
"""The routing key of batches of task events."""
NO_EVENTS: Final = "[]"


def other_monitors(connection: Connection, exchange: str) -> bool | None:
    """Return whether another client receives task events; None if the broker cannot show it.

    Call it when the broker has confirmed that our own subscription has ended.

    Raises:
        Exception: Any error of the transport, also if it refuses the message.
    """
    transport: Any = connection.transport
    if transport.driver_type == "redis":
        if not connection.default_channel.fanout_patterns:
            # All events are on one channel, to which the workers subscribe as well.
            return None
        reached = _reaches_redis_clients
    elif transport.driver_name == "py-amqp":
        reached = _reaches_queues
    else:
        return None
    return reached(connection, exchange)


def _reaches_redis_clients(connection: Connection, exchange: str) -> bool:
    return publish(connection.default_channel, exchange, ROUTING_KEY, NO_EVENTS) > 0


def _reaches_queues(connection: Connection, exchange: str) -> bool:
    returned: list[object] = []

    def on_return(*message: object) -> None:
        returned.append(message)

    channel: Any = connection.default_channel
    channel.events["basic_return"].add(on_return)
    try:
        message = channel.prepare_message(
            NO_EVENTS, content_type="application/json", content_encoding="utf-8"
        )
        channel.basic_publish(message, exchange=exchange, routing_key=ROUTING_KEY, mandatory=True)
        # The broker replies in order: a message that reached no queue is returned before this.
        channel.basic_qos(0, 1, False)
    finally:
        channel.events["basic_return"].discard(on_return)
    return not returned
