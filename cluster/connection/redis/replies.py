"""A queue of replies on Redis, for fewer commands than kombu's.

kombu fetches one reply per round trip. It counts the messages of a queue that it declares, and
deletes the lists of all priorities of one that it deletes, though replies have no priority.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kombu import Queue

MAX_DELIVERED: Final = 10_000
"""Replies that are taken at once; more of them wait for the next reply."""


def declare(channel: Any, queue: Queue) -> None:
    """Bind a queue, given with its channel, to its exchange: its list exists once it has messages.

    Raises:
        Exception: Any error of the transport.
    """
    queue.exchange.declare()
    arguments = channel.prepare_queue_arguments({}, expires=queue.expires)
    channel._new_queue(queue.name, auto_delete=queue.auto_delete, arguments=arguments)
    queue.queue_bind()
    # kombu 5.7 would repeat this, and clean up the bindings of others, with the first reply.
    channel._binding_expiry_refreshed_at = channel._bindings_swept_at = time.monotonic()


def delete(channel: Any, queue: Queue) -> None:
    """Delete a queue that `declare` has bound.

    Raises:
        Exception: Any error of the transport.
    """
    from redis import Redis

    # kombu's own client prefixes only the commands that kombu uses.
    client: Any = Redis(connection_pool=channel.pool)
    prefix, exchange = channel.global_keyprefix, queue.exchange.name
    member = channel.sep.join([queue.routing_key, "", queue.name])
    pipeline = client.pipeline(transaction=False)
    pipeline.srem(f"{prefix}{channel.keyprefix_queue % (exchange,)}", member)
    pipeline.delete(f"{prefix}{channel._q_for_pri(queue.name, 0)}")
    pipeline.execute()
    channel.state.queue_bindings_delete(queue.name)


def deliver_waiting(channel: Any, queue: str) -> None:
    """Hand all messages in a queue to the channel's consumer, which must not acknowledge them.

    Raises:
        Exception: Any error of the transport.
    """
    from redis import Redis
    from redis.exceptions import ResponseError

    # kombu's own client prefixes only the commands that kombu uses.
    key = f"{channel.global_keyprefix}{channel._q_for_pri(queue, 0)}"
    client: Any = Redis(connection_pool=channel.pool)
    try:
        items = client.rpop(key, MAX_DELIVERED) or ()
    except ResponseError:
        # Before Redis 6.2, RPOP takes no count; or RPOP is not allowed.
        pipeline = client.pipeline()
        pipeline.lrange(key, 0, -1)
        pipeline.delete(key)
        items = reversed(pipeline.execute()[0])
    for item in items:
        channel.connection._deliver(json.loads(item), queue)
