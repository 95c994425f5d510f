"""The newest results among all that Redis keeps, without a command that holds it up.

Keys carry no time, and to read each value may be to read gigabytes. But Celery gives each result
the same time to live, counted from when it was written: the longer one has left, the newer it is.
So SCAN finds the keys, PTTL is asked of each, and only the newest are read, and of those only what
is not large. Where results never expire, some of them are read and sorted by their own time.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ...model.entities.result import ResultMeta
from .backends.base import RECENT_BLOCK_SIZE, newest_first
from .backends.decode import from_payload

SCAN_COUNT: Final = 500
"""Keys that one SCAN looks at: half a millisecond of the server's time, or less."""
MAX_SCANS: Final = 1_000
SCAN_TIMEOUT: Final = 10.0
"""Seconds for all of it."""
MAX_RESULT_BYTES: Final = 256 << 10
"""Bytes; a larger result is left where it is until somebody asks for it."""
_MAX_UNDATED: Final = 2_000
"""Results without a time to live that are read, to find out how old they are."""
_SCAN_PAUSE: Final = 0.001
"""Seconds between two SCANs in which others are served, and our own screen is."""
_ASK_EACH: Final = """
local told = {}
for place, key in ipairs(KEYS) do
    local answer = redis.pcall(ARGV[1], key)
    told[place] = type(answer) == 'number' and answer or -3
end
return told
"""
"""Asks one thing of many keys in one command, as no command of Redis does."""


def newest(
    client: Any, prefix: str, most: int, since: float | None, stop: threading.Event | None
) -> Iterator[tuple[ResultMeta, ...]]:
    """Yield blocks of entries of tasks that have ended, the newest first.

    Args:
        client: A client of redis-py.
        prefix: What keys of results begin with; the rest is the task's id.
        most: How many at most.
        since: Only of tasks that ended later than this, epoch seconds.
        stop: Ends it when it is set.

    Raises:
        redis.RedisError: The server does not answer, or refuses.
    """
    dated, undated = _keys(client, prefix, most, stop or threading.Event())
    head = len(prefix.encode())
    if undated:
        found = [meta for block in _read(client, dated + undated, head) for meta in block]
        yield from newest_first(found, most, since)
        return
    for block in _read(client, dated, head):
        yield from newest_first(block, RECENT_BLOCK_SIZE, since)


def _keys(
    client: Any, prefix: str, most: int, stop: threading.Event
) -> tuple[list[bytes], list[bytes]]:
    """Return the keys of the newest results, the newest first, and of some that never expire."""
    special = str.maketrans({letter: f"\\{letter}" for letter in "*?[]^\\"})
    pattern = prefix.translate(special) + "*"
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
        best = heapq.nlargest(most, best)
        if not cursor or time.monotonic() > deadline or stop.wait(_SCAN_PAUSE):
            break
    return [key for _, key in best], undated


def _ask_each(client: Any, command: str, keys: Sequence[bytes]) -> list[int]:
    """Return what a command that takes a key says of each; less than -2 if it is refused.

    Where scripts may not be run, it is as many commands.
    """
    from redis.exceptions import ResponseError

    if not keys:
        return []
    try:
        told = client.eval(_ASK_EACH, len(keys), *keys, command)
    except ResponseError:
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.execute_command(command, key)
        told = pipe.execute(raise_on_error=False)
    return [answer if isinstance(answer, int) else -3 for answer in told]


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
