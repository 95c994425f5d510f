"""Results in memcached: `cache+memcached://host:port;host:port/`, as in `celery/backends/cache.py`.

The worker's driver decides which server has a key, and Celery changed its driver in 5.7. So every
server is asked for every key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ....model.entities.result import ResultMeta
from ....settings import Settings
from ...connection.broker import CONNECT_TIMEOUT, READ_TIMEOUT
from ..errors import failure, missing
from .base import ResultReader, ResultsError
from .decode import from_payload
from .redis import KEY_PREFIX, key_prefix

SCHEMES: Final = ("memcache", "memcached", "pylibmc", "pymemcache")
_BLOCK_SIZE: Final = 100
_MAX_KEY_BYTES: Final = 250


class MemcachedResults(ResultReader):
    """Reads memcached servers, which discard results when their memory runs short."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        servers = url.partition("://")[2].rstrip("/").split(";")
        self._servers = [server for server in servers if server]
        self._prefix = key_prefix(settings.result_backend_transport_options) + KEY_PREFIX

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id."""
        keys = {f"{self._prefix}{id_}": id_ for id_ in ids if self._is_key(id_)}
        names = list(keys)
        found: dict[str, ResultMeta] = {}
        fault: ResultsError | None = None
        for server in self._servers or ["127.0.0.1:11211"]:
            try:
                for key, payload in _ask(server, names):
                    found[keys[key]] = from_payload(keys[key], payload)
            except ImportError:
                raise missing("pymemcache", "cache+memcached") from None
            except Exception as error:
                fault = failure(error, f"memcached://{server}", self._settings)
        if fault is not None and len(found) < len(keys):
            raise fault
        return found

    def close(self) -> None:
        """Do nothing: connections only last for one read."""

    def _is_key(self, id_: str) -> bool:
        """Return whether a key can contain this id: an id may be any text."""
        key = self._prefix + id_
        return key.isascii() and key.isprintable() and " " not in key and len(key) <= _MAX_KEY_BYTES


def _ask(server: str, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    from pymemcache.client.base import Client

    client = Client(server, connect_timeout=CONNECT_TIMEOUT, timeout=READ_TIMEOUT)
    try:
        for start in range(0, len(names), _BLOCK_SIZE):
            yield from client.get_many(names[start : start + _BLOCK_SIZE]).items()
    finally:
        client.close()
