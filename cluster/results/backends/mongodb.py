"""Results in MongoDB, one document per task, as in `celery/backends/mongodb.py`.

Only `find` is used: Celery's own backend creates an index as soon as it is used.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ....model.entities.result import READY_STATES, ResultMeta
from ....settings import Settings
from ...connection.broker import CONNECT_TIMEOUT, READ_TIMEOUT
from ..errors import failure, missing
from .base import RECENT_BLOCK_SIZE, ResultReader, newest_first
from .decode import Undecoded, from_mapping, load
from .plain_bson import is_exact, plain

DATABASE: Final = "celery"
COLLECTION: Final = "celery_taskmeta"
_CONNECT_TIMEOUTS: Final = ("serverSelectionTimeoutMS", "connectTimeoutMS")
_BLOCK_SIZE: Final = 500
"""Ids in one query."""


class MongoResults(ResultReader):
    """Reads the collection of results of a server or a replica set.

    Args:
        url: `mongodb://` or `mongodb+srv://`, with the database at its end.
        options: `mongodb_backend_settings`, of which `database` (which overrides the URL's) and
            `taskmeta_collection` are used.
    """

    def __init__(self, url: str, settings: Settings, options: Mapping[str, Any]) -> None:
        self._url = url
        self._settings = settings
        self._options = options
        self._lock = threading.Lock()
        self._client: Any = None

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id."""
        found: dict[str, ResultMeta] = {}
        with self._failing():
            kept = self._collection()
            for start in range(0, len(ids), _BLOCK_SIZE):
                wanted = {"_id": {"$in": list(ids[start : start + _BLOCK_SIZE])}}
                for document in kept.find(wanted):
                    found[document["_id"]] = _meta(document)
        return found

    def recent(
        self, limit: int, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of finished tasks, the newest first."""
        if limit <= 0:  # MongoDB takes it for no limit
            return
        wanted: dict[str, Any] = {"status": {"$in": sorted(READY_STATES)}}
        with self._failing():
            newest = self._collection().find(wanted)
            # Celery creates an index on the time.
            newest = newest.sort("date_done", -1).limit(limit)
            documents = iter(newest.max_time_ms(int(READ_TIMEOUT * 1000)))
        while stop is None or not stop.is_set():
            with self._failing():
                block = [_meta(found) for found in itertools.islice(documents, RECENT_BLOCK_SIZE)]
            if not block:
                return
            yield from newest_first(block, RECENT_BLOCK_SIZE)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Turn an error in the block into a `ResultsError`."""
        try:
            yield
        except ImportError:
            raise missing("pymongo", "mongodb") from None
        except Exception as error:
            raise failure(error, self._url, self._settings) from error

    def _collection(self) -> Any:
        from pymongo import MongoClient

        limits: dict[str, Any] = dict.fromkeys(_CONNECT_TIMEOUTS, int(CONNECT_TIMEOUT * 1000))
        limits["socketTimeoutMS"] = int(READ_TIMEOUT * 1000)
        with self._lock:
            if self._client is None:
                self._client = MongoClient(
                    self._url,
                    appname="celtop",
                    tz_aware=True,
                    # Dates beyond Python's range and invalid text must not end the read.
                    datetime_conversion="DATETIME_AUTO",
                    unicode_decode_error_handler="replace",
                    **limits,
                )
            named = self._options.get("database")
            kept = self._client[named] if named else self._client.get_default_database(DATABASE)
            return kept[self._options.get("taskmeta_collection") or COLLECTION]


def _meta(document: Mapping[str, Any]) -> ResultMeta:
    id_, undecoded = str(document["_id"]), None
    try:
        # Only `result` is encoded, unless the serializer is `bson`.
        meta = {str(key): plain(value) for key, value in document.items() if key != "result"}
        result = document.get("result")
        meta["result"] = load(result) if isinstance(result, str | bytes) else plain(result)
    except Undecoded as reason:
        meta = {name: document.get(name) for name in ("status", "date_done", "traceback", "name")}
        undecoded = str(reason)
    given = document.get("args"), document.get("kwargs")
    exact = undecoded is None and all(map(is_exact, given))
    return from_mapping(id_, meta, undecoded=undecoded, exact=exact)
