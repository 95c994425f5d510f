"""Finds results in Redis without blocking the server: the newest ones, or those that match.

Keys have no time, and reading each value may mean reading gigabytes. But Celery gives each result
the same time to live: the longer a key has left, the newer it is. So SCAN finds the keys, PTTL
returns the time left, and only the newest small values are read. Of results that never expire, some
are read and sorted by their own time.
"""

from __future__ import annotations

import heapq
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from ...model.entities.result import ResultMeta
from ...model.text.phrases import counted
from ..connection.redis.keys import exactly
from .backends.base import RECENT_BLOCK_SIZE, Collector, newest_first
from .backends.decode import MAX_RESULT_BYTES, from_payload
from .search import MAX_EXAMINED, Found, Put, ResultSearch

SCAN_COUNT: Final = 500
"""Keys that one SCAN examines: at most half a millisecond of the server's time."""
BLOCK_SIZE: Final = 200
"""Keys of one MGET, which blocks the server."""
MAX_UNMEASURED: Final = 10
"""Results that are read without asking for their sizes, to save a command."""
MAX_SCANS: Final = 1_000
SCAN_TIMEOUT: Final = 10.0
"""Seconds for all SCANs together."""
MAX_THOROUGH_BYTES: Final = 4 << 20
"""Larger results are not read by a thorough search either."""
_THOROUGH_TIMEOUT: Final = 3600.0
MAX_UNDATED: Final = 2_000
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


def search_keys(
    client: Any, prefix: str, search: ResultSearch, put: Put, stop: threading.Event | None
) -> Found:
    """Hand over the entries that match a query, the newest first.

    Args:
        client: A redis-py client.
        prefix: The prefix of the results' keys.
        search: What to search for.
        put: Called with each block of entries.
        stop: Ends the search when it is set.

    Raises:
        redis.RedisError: The server does not respond, or refuses.
    """
    thorough = search.thorough
    if search.query.empty and search.limit is not None and not thorough:
        keys = find_keys(client, prefix, search.limit, stop)
        unfinished = put_newest(client, keys, prefix, search.limit, put)
        return Found(keys.scanned - unfinished, more=not keys.complete)
    most = sys.maxsize // 4 if thorough else MAX_EXAMINED
    keys = find_keys(
        client,
        prefix,
        most,
        stop,
        max_undated=most if thorough else MAX_UNDATED,
        max_scans=most if thorough else MAX_SCANS,
        timeout=_THOROUGH_TIMEOUT if thorough else SCAN_TIMEOUT,
    )
    deadline = time.monotonic() + (_THOROUGH_TIMEOUT if thorough else search.timeout)
    collector, read, examined = Collector(search, put), 0, 0
    wanted = list(dict.fromkeys(keys.dated + keys.undated))  # SCAN may return a key twice
    max_bytes = MAX_THOROUGH_BYTES if thorough else MAX_RESULT_BYTES
    for metas in read_keys(client, wanted, prefix, max_bytes):
        examined = min(examined + RECENT_BLOCK_SIZE, len(wanted))
        read += len(metas)
        collector.add(metas)
        if collector.full:
            return Found(collector.total, more=True)
        if time.monotonic() > deadline or (stop is not None and stop.is_set()):
            break
    notes = []
    if not keys.complete or examined < len(wanted) or len(wanted) >= most:
        notes.append(f"only {examined:,} of {_number(keys.scanned, keys.complete)} were searched")
    if examined > read:
        notes.append(f"{counted(examined - read, 'result')} too large to search, or expired")
    return Found(collector.total, more=bool(notes), note="; ".join(notes))


def _number(count: int, complete: bool) -> str:
    return f"{counted(count, 'result')}" if complete else f"more than {counted(count, 'result')}"


class Keys(NamedTuple):
    """The keys of results that a SCAN has found."""

    dated: list[bytes]
    """Those with the longest time to live, the newest first."""
    undated: list[bytes]
    """Those that never expire."""
    scanned: int
    """All that were found."""
    complete: bool
    """Whether all keys of the database were scanned."""


def put_newest(client: Any, keys: Keys, prefix: str, limit: int, put: Put) -> int:
    """Hand over the entries of finished tasks, the newest first; return how many had not finished.

    Without keys that never expire, each block is handed over as soon as it has been read.
    """
    blocks: Iterable[list[ResultMeta]] = read_keys(client, keys.dated + keys.undated, prefix)
    size = RECENT_BLOCK_SIZE
    if keys.undated:
        blocks, size = [[meta for block in blocks for meta in block]], limit
    unfinished = 0
    for block in blocks:
        unfinished += sum(not meta.ready for meta in block)
        for found in newest_first(block, size):
            put(found)
    return unfinished


def find_keys(
    client: Any,
    prefix: str,
    limit: int,
    stop: threading.Event | None,
    *,
    max_undated: int = MAX_UNDATED,
    max_scans: int = MAX_SCANS,
    timeout: float = SCAN_TIMEOUT,
) -> Keys:
    """Return the keys of the newest results, and up to `max_undated` that never expire."""
    stop = stop or threading.Event()
    pattern = exactly(prefix) + "*"
    deadline = time.monotonic() + timeout
    best: list[tuple[int, bytes]] = []
    undated: list[bytes] = []
    cursor = count = 0
    for _ in range(max_scans):
        cursor, keys = client.scan(cursor, match=pattern, count=SCAN_COUNT)
        count += len(keys)
        for key, left in zip(keys, _ask_each(client, "PTTL", keys), strict=True):
            if left >= 0:
                best.append((left, key))
            elif left == -1 and len(undated) < max_undated:
                undated.append(key)
        if len(best) > 2 * limit + SCAN_COUNT:
            best = heapq.nlargest(limit, best)
        if not cursor or time.monotonic() > deadline or stop.wait(_SCAN_PAUSE):
            break
    best = heapq.nlargest(limit, best)
    return Keys([key for _, key in best], undated, count, complete=not cursor)


def _ask_each(client: Any, command: str, keys: Sequence[bytes] | Sequence[str]) -> list[int]:
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


def read_values(client: Any, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the keys that exist, with their values: large ones one by one, others in blocks."""
    for start in range(0, len(keys), SCAN_COUNT):
        part = keys[start : start + SCAN_COUNT]
        large = set() if len(part) <= MAX_UNMEASURED else _large(client, part)
        small = [key for key in part if key not in large]
        blocks = [small[at : at + BLOCK_SIZE] for at in range(0, len(small), BLOCK_SIZE)]
        for block in (*blocks, *([key] for key in part if key in large)):
            for key, value in zip(block, client.mget(block), strict=True):
                if value:
                    yield key, value


def _large(client: Any, keys: Sequence[str]) -> set[str]:
    sizes = _ask_each(client, "STRLEN", keys)
    return {key for key, size in zip(keys, sizes, strict=True) if size > MAX_RESULT_BYTES}


def read_keys(
    client: Any, keys: Sequence[bytes], prefix: str, max_bytes: int = MAX_RESULT_BYTES
) -> Iterator[list[ResultMeta]]:
    """Yield the entries of keys in blocks, without those of more than `max_bytes`."""
    head = len(prefix.encode())
    for start in range(0, len(keys), RECENT_BLOCK_SIZE):
        block = keys[start : start + RECENT_BLOCK_SIZE]
        sizes = _ask_each(client, "STRLEN", block)
        small = [key for key, size in zip(block, sizes, strict=True) if 0 <= size <= max_bytes]
        values = client.mget(small) if small else []
        yield [
            from_payload(id_, value)
            for key, value in zip(small, values, strict=True)
            if value and (id_ := key[head:].decode(errors="replace"))
        ]
