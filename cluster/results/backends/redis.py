"""Results in Redis: one key `celery-task-meta-<id>` per task, and a channel of the same name.

Celery stores each change with SETEX and PUBLISH in one transaction (`celery/backends/redis.py`).
Celery's backend class is not used, since it reads the environment and unpickles.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final, cast

from ....model.entities.result import ResultMeta
from ....settings import Settings
from ...connection.broker import CONNECT_TIMEOUT, READ_TIMEOUT, verify_mode
from ...connection.metering import ConnectionMeter, metered_connection
from ...connection.redis.channel import ChannelRefused, RedisChannel
from ..errors import failure
from ..redis_search import BLOCK_SIZE, read_values, search_keys
from ..result_frames import ResultFrames
from ..search import Found, Put, ResultSearch
from .base import ResultReader
from .decode import from_payload, without_large_result

_COLUMNS: Final = frozenset({"id", "name", "worker", "queue", "finished"})
"""The fields of a filter that entries have, if they have any of them."""
KEY_PREFIX: Final = "celery-task-meta-"
_TLS_OPTIONS: Final = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


class RedisResults(ResultReader):
    """Reads `redis://`, `rediss://`, `redis+socket://` and `sentinel://`."""

    def __init__(self, url: str, settings: Settings, meter: ConnectionMeter) -> None:
        self._url = url
        self._settings = settings
        self._meter = meter
        self._prefix = key_prefix(settings.result_backend_transport_options) + KEY_PREFIX
        self._client: Any = None
        self._lock = threading.Lock()

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id; of several tasks, without large results."""
        found: dict[str, ResultMeta] = {}
        decode = from_payload if len(ids) == 1 else without_large_result
        try:
            client = self._connect()
            for key, payload in read_values(client, [self._key(id_) for id_ in ids]):
                id_ = key.removeprefix(self._prefix)
                found[id_] = decode(id_, payload)
        except Exception as error:
            raise failure(error, self._url, self._settings) from error
        return found

    def search(self, search: ResultSearch, put: Put, stop: threading.Event | None = None) -> Found:
        """Hand over the entries that match a query, the newest first.

        Redis cannot search by value: every entry is read, up to a limit of entries and time.
        """
        if search.criteria(_COLUMNS) is None:
            return Found(0)
        try:
            return search_keys(self._connect(), self._prefix, search, put, stop)
        except Exception as error:
            raise failure(error, self._url, self._settings) from error

    def delete(self, metas: Sequence[ResultMeta]) -> int:
        """Delete entries; those that were written since are kept."""
        try:
            client = self._connect()
            blocks = range(0, len(metas), BLOCK_SIZE)
            return sum(self._delete(client, metas[at : at + BLOCK_SIZE]) for at in blocks)
        except Exception as error:
            raise failure(error, self._url, self._settings) from error

    def _delete(self, client: Any, metas: Sequence[ResultMeta]) -> int:
        from redis.exceptions import WatchError

        keys = [self._key(meta.id) for meta in metas]
        with client.pipeline() as pipe:
            pipe.watch(*keys)
            unchanged = [
                key
                for key, meta, payload in zip(keys, metas, pipe.mget(keys), strict=True)
                if payload and from_payload(meta.id, payload) == meta
            ]
            if not unchanged:
                return 0
            pipe.multi()
            pipe.delete(*unchanged)
            try:
                return int(pipe.execute()[0])
            except WatchError:
                if len(metas) == 1:
                    return 0
        half = len(metas) // 2
        return self._delete(client, metas[:half]) + self._delete(client, metas[half:])

    def listen(self, known: Container[str]) -> RedisChannel[ResultFrames]:
        """Subscribe to the channels of all tasks."""
        try:
            pool = self._connect().connection_pool
            # A connection outside the pool, since it is never returned.
            connection = pool.connection_class(**pool.connection_kwargs)
            return RedisChannel(connection, ResultFrames(self._prefix, known))
        except ChannelRefused:
            raise
        except Exception as error:
            raise failure(error, self._url, self._settings) from error

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.connection_pool.disconnect()

    def _key(self, id_: str) -> str:
        return self._prefix + id_

    def _connect(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._url, self._settings, self._meter)
            return self._client


def key_prefix(options: Mapping[str, Any]) -> str:
    """Return the key prefix of a key-value backend, as Celery's `_add_global_keyprefix` does."""
    prefix = str(options.get("global_keyprefix") or "")
    return prefix if not prefix or prefix[-1] in ":_-." else prefix + "_"


def _client(url: str, settings: Settings, meter: ConnectionMeter) -> Any:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_timeout": READ_TIMEOUT,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        # The library would hide a failure for seconds.
        "retry": Retry(NoBackoff(), 0),
    }
    if redis.VERSION >= (5, 0):
        options["protocol"] = 2
    if url.startswith("sentinel://"):
        return _primary(url, settings, meter, options)
    params = _params(url, settings)
    if "path" in params:
        base: type[Any] = redis.UnixDomainSocketConnection
    else:
        base = redis.SSLConnection if "ssl_cert_reqs" in params else redis.Connection
    pool = redis.ConnectionPool(
        connection_class=metered_connection(base, meter), **options, **params
    )
    return redis.Redis(connection_pool=pool)


def _primary(url: str, settings: Settings, meter: ConnectionMeter, options: dict[str, Any]) -> Any:
    """Return a client of the primary that the sentinels name, as `SentinelBackend` does."""
    from redis import Redis, sentinel

    nodes = [_params(part, settings) for part in url.split(";") if part]
    asked = settings.result_backend_transport_options
    common = {key: value for key, value in nodes[0].items() if key not in ("host", "port")}
    group = cast(Any, sentinel.Sentinel)(
        [(node["host"], node["port"]) for node in nodes],
        min_other_sentinels=int(asked.get("min_other_sentinels", 0)),
        sentinel_kwargs={**options, **asked.get("sentinel_kwargs", {})},
    )
    name = asked.get("master_name")
    if not name:
        raise ValueError("'master_name' transport option must be specified.")
    base: type[Any] = sentinel.SentinelManagedConnection
    if "ssl_cert_reqs" in common:
        base = sentinel.SentinelManagedSSLConnection
    pool = cast(Any, sentinel.SentinelConnectionPool)(
        name, group, connection_class=metered_connection(base, meter), **options, **common
    )
    return Redis(connection_pool=pool)


def _params(url: str, settings: Settings) -> dict[str, Any]:
    """Return redis-py's connection parameters, as `RedisBackend._params_from_url` does.

    Raises:
        ValueError: The URL is invalid, or names code of the app.
    """
    from kombu.utils.url import url_to_parts

    # Celery splits `redis+socket://` at the plus.
    parts = url_to_parts(url.partition("+")[2] if "+socket://" in url else url)
    query = parts.query
    if "credential_provider" in query:
        raise ValueError("the URL names a credential_provider, which is code of the app")
    params: dict[str, Any] = {"db": _database(parts, query)}
    if parts.scheme == "socket":
        params["path"] = f"/{parts.path}"
    else:
        params |= {"host": parts.hostname or "localhost", "port": parts.port or 6379}
    for key in ("username", "password"):
        if value := getattr(parts, key) or query.get(key):
            params[key] = value
    given = settings.redis_backend_use_ssl
    if (given or parts.scheme == "rediss") and "path" not in params:
        # Celery requires the option; here certificates are verified unless it is set otherwise.
        params["ssl_cert_reqs"] = ssl.CERT_REQUIRED
        params |= given if isinstance(given, dict) else {}
        params |= {key: query[key] for key in _TLS_OPTIONS if query.get(key)}
        params["ssl_cert_reqs"] = verify_mode(params["ssl_cert_reqs"])
        if params["ssl_cert_reqs"] == ssl.CERT_NONE:
            params["ssl_check_hostname"] = False
    return params


def _database(parts: Any, query: Mapping[str, str]) -> int:
    named = query.get("virtual_host") if parts.scheme == "socket" else parts.path
    return int((named or query.get("db") or "0").strip("/") or 0)
