"""Receives the replies waiting on Redis all at once; kombu fetches one per round trip."""

from __future__ import annotations

import json
from typing import Any


def deliver_waiting(channel: Any, queue: str) -> None:
    """Hand all messages in a queue to the channel's consumer, which must not acknowledge them.

    Raises:
        Exception: Any error of the transport.
    """
    from redis import Redis

    # kombu's own client prefixes only the commands that kombu uses.
    key = f"{channel.global_keyprefix}{channel._q_for_pri(queue, 0)}"
    client: Any = Redis(connection_pool=channel.pool)
    pipeline = client.pipeline()
    pipeline.lrange(key, 0, -1)
    pipeline.delete(key)
    for item in reversed(pipeline.execute()[0]):
        channel.connection._deliver(json.loads(item), queue)
