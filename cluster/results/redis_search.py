"""Searches results in Redis, which has no index: keys are scanned, and their values are read."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Final

from ...model.text.phrases import counted
from .backends.base import RECENT_BLOCK_SIZE, Collector
from .newest import (
    MAX_RESULT_BYTES,
    MAX_SCANS,
    MAX_UNDATED,
    SCAN_TIMEOUT,
    find_keys,
    read_keys,
    read_newest,
)
from .search import MAX_EXAMINED, SEARCH_TIMEOUT, Found, Put, ResultSearch

MAX_THOROUGH_BYTES: Final = 4 << 20
"""Larger results are not read by a thorough search either."""
_THOROUGH_TIMEOUT: Final = 3600.0


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
        for block in read_newest(client, keys, prefix, search.limit):
            put(block)
        return Found(keys.scanned, more=not keys.complete)
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
    deadline = time.monotonic() + (_THOROUGH_TIMEOUT if thorough else SEARCH_TIMEOUT)
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
