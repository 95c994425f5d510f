"""Finds the newest results in Redis without blocking the server.

Keys have no time, and reading each value may mean reading gigabytes. But Celery gives each result
the same time to live: the longer a key has left, the newer it is. So SCAN finds the keys, PTTL
returns the time left, and only the newest small values are read. Of results that never expire, some
are read and sorted by their own time.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ...model.entities.result import ResultMeta
from ..connection.redis_keys import exactly
from .backends.base import RECENT_BLOCK_SIZE, newest_first
from .backends.decode import from_payload

SCAN_COUNT: Final = 500
"""Keys that one SCAN examines: at most half a millisecond of the server's time."""
MAX_SCANS: Final = 1_000
SCAN_TIMEOUT: Final = 10.0
"""Seconds for all SCANs together."""
MAX_RESULT_BYTES: Final = 256 << 10
"""Larger results are read only on request."""
_MAX_UNDATED: Final = 2_000
"""Results without a time to live that are read to find out their age."""
_SCAN_PAUSE: Final = 0.001
"""Seconds between two SCANs, for the server's other clients and our own screen."""
_ASK_EACH: Final = """
local replies = {}
for place, key in ipairs(KEYS) do
    local answer = redis.pcall(ARGV[1], key)
    replies[place] = type(answer) == 'number' and answer or -3
end
return replies
"""
"""Runs a command on each of many keys, for which Redis has no single command."""


def newest(
    client: Any, prefix: str, limit: int, stop: threading.Event | None
) -> Iterator[tuple[ResultMeta, ...]]:
    """Yield blocks of entries of finished tasks, the newest first.

    Args:
        client: A redis-py client.
        prefix: The prefix of the results' keys; the rest is the task's id.
        limit: Maximum number of entries.
        stop: Ends the listing when it is set.

    Raises:
        redis.RedisError: The server does not respond, or refuses.
    """
    dated, undated = _keys(client, prefix, limit, stop or threading.Event())
    head = len(prefix.encode())
    if undated:
        found = [meta for block in _read(client, dated + undated, head) for meta in block]
        yield from newest_first(found, limit)
        return
    for block in _read(client, dated, head):
        yield from newest_first(block, RECENT_BLOCK_SIZE)


def _keys(
    client: Any, prefix: str, limit: int, stop: threading.Event
) -> tuple[list[bytes], list[bytes]]:
    """Return the keys of the newest results, newest first, and some keys that never expire."""
    pattern = exactly(prefix) + "*"
    deadline = time.monotonic() + SCAN_TIMEOUT
    best: list[tuple[int, bytes]] = []
    undated: list[bytes] = []
    cursor = 0
    for _ in range(MAX_SCANS):
        cursor, keys = client.scan(cursor, match=pattern, count=SCAN_COUNT)
        for key, left in zip(keys, _ask_each(client, "PTTL", keys), strict=True):
            if left >= 0:
                best.append((left, key))
            elif left == -1 and len(undated) < _MAX_UNDATED:
                undated.append(key)
        best = heapq.nlargest(limit, best)
        if not cursor or time.monotonic() > deadline or stop.wait(_SCAN_PAUSE):
            break
    return [key for _, key in best], undated


def _ask_each(client: Any, command: str, keys: Sequence[bytes]) -> list[int]:
    """Return the reply of a command for each key; -3 if it fails for a key.

    If scripts are not permitted, one command is sent for each key.
    """
    from redis.exceptions import ResponseError

    if not keys:
        return []
    try:
        replies = client.eval(_ASK_EACH, len(keys), *keys, command)
    except ResponseError:
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.execute_command(command, key)
        replies = pipe.execute(raise_on_error=False)
    return [answer if isinstance(answer, int) else -3 for answer in replies]


def _read(client: Any, keys: Sequence[bytes], head: int) -> Iterator[list[ResultMeta]]:
    for start in range(0, len(keys), RECENT_BLOCK_SIZE):
        block = keys[start : start + RECENT_BLOCK_SIZE]
        sizes = _ask_each(client, "STRLEN", block)
        small = [
            key for key, size in zip(block, sizes, strict=True) if 0 <= size <= MAX_RESULT_BYTES
        ]
        values = client.mget(small) if small else []
        yield [
            from_payload(id_, value)
            for key, value in zip(small, values, strict=True)
            if value and (id_ := key[head:].decode(errors="replace"))
        ]
