"""Reads how much memory Redis uses, and what it does when there is none left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from ....model.entities.broker import BrokerMemory
from ....model.observations import MemoryMeasured
from ....model.text.coerce import to_int

if TYPE_CHECKING:
    from kombu.connection import Connection

INTERVAL: Final = 60.0
"""Seconds between two reads."""


class RedisMemory:
    """Asks for `INFO` at most once in `INTERVAL`.

    A user without the right to INFO is refused once and not asked again.
    """

    def __init__(self, connection: Connection) -> None:
        from redis import Redis

        self._redis = Redis(connection_pool=connection.default_channel.pool)
        self._due = float("-inf")

    def measure(self) -> MemoryMeasured | None:
        """Return the memory if it is due, and if the server reports it.

        Raises:
            redis.RedisError: The connection is lost.
        """
        from redis.exceptions import ResponseError

        now = time.monotonic()
        if now < self._due:
            return None
        self._due = now + INTERVAL
        try:
            # Only since Redis 7 can it be limited to several sections.
            info: Any = self._redis.info()
        except ResponseError:
            info = {}
        used = to_int(info.get("used_memory"))
        if used is None:
            self._due = float("inf")
            return None
        return MemoryMeasured(
            BrokerMemory(
                time.time(),
                used,
                to_int(info.get("maxmemory")) or None,
                str(info.get("maxmemory_policy") or ""),
                to_int(info.get("evicted_keys")),
            )
        )
