"""Results in Redis: `celery-task-meta-<id>`, and a channel of the same name for each change.

Celery writes with SETEX and PUBLISH in one transaction (`celery/backends/redis.py`). Neither its
backend class is used here nor an app: those read the environment, and unpickle.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from ....model.entities.result import ResultMeta
from ....settings import Settings
from ...connection.broker import CONNECT_TIMEOUT, READ_TIMEOUT, verify_mode
from ...connection.metering import ConnectionMeter, metered_connection
from ..errors import failure
from ..newest import newest
from ..redis_channel import ChannelRefused, FrameParser, RedisChannel
from .base import ResultReader
from .decode import from_payload

KEY: Final = "celery-task-meta-"
_BLOCK_SIZE: Final = 200
"""Keys of one MGET: Redis serves nobody else meanwhile, and a result may be large."""
_REREAD_AFTER: Final = 30.0
"""Seconds of silence on a channel after which the key is read: the connection may be dead."""
_STOP_CHECK_INTERVAL: Final = 0.25
"""Seconds after which a wait looks whether it is to stop."""
_RECONNECT_DELAY: Final = 1.0
_TLS_OPTIONS: Final = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


class RedisResults(ResultReader):
    """Reads `redis://`, `rediss://`, `redis+socket://` and `sentinel://`.

    Args:
        url: As Celery takes it.
        settings: For the options and TLS.
        meter: Counts and can cut our connections.
    """

    def __init__(self, url: str, settings: Settings, meter: ConnectionMeter) -> None:
        self._url = url
        self._settings = settings
        self._meter = meter
        self._prefix = key_prefix(settings.result_backend_transport_options) + KEY
        self._client: Any = None
        self._lock = threading.Lock()

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return what is kept of these tasks, by id.

        Raises:
            ResultsError: Redis does not answer, or refuses.
        """
        found: dict[str, ResultMeta] = {}
        try:
            client = self._connect()
            for start in range(0, len(ids), _BLOCK_SIZE):
                block = ids[start : start + _BLOCK_SIZE]
                payloads = client.mget([self._key(id_) for id_ in block])
                for id_, payload in zip(block, payloads, strict=True):
                    if payload:
                        found[id_] = from_payload(id_, payload)
        except Exception as error:
            raise failure(error, self._url, self._settings) from error
        return found

    def wait(self, id_: str, timeout: float, stop: threading.Event) -> ResultMeta | None:
        """Return a task's entry when the task has ended; None if that takes too long.

        Its channel tells, so that nothing is polled; a lost connection is made again.

        Raises:
            ResultsError: Redis could not be reached at first, or not again in time.
        """
        from redis import exceptions

        deadline = time.monotonic() + timeout
        listened = threading.Event()
        while True:
            try:
                return self._listen(id_, deadline, stop, listened)
            except exceptions.NoPermissionError:
                return super().wait(id_, max(0.0, deadline - time.monotonic()), stop)
            except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
                if not listened.is_set() or time.monotonic() + _RECONNECT_DELAY >= deadline:
                    raise failure(error, self._url, self._settings) from error
            except Exception as error:
                raise failure(error, self._url, self._settings) from error
            stop.wait(_RECONNECT_DELAY)

    def recent(
        self, most: int, since: float | None = None, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of tasks that have ended, the newest first.

        Raises:
            ResultsError: Redis does not answer, or refuses.
        """
        try:
            yield from newest(self._connect(), self._prefix, most, since, stop)
        except Exception as error:
            raise failure(error, self._url, self._settings) from error

    def listen(self, known: Container[str]) -> RedisChannel:
        """Return a subscription to the channels of all tasks.

        Raises:
            Refused: The user that we log in as may not subscribe to them.
            ResultsError: Redis does not answer.
        """
        try:
            pool = self._connect().connection_pool
            # A connection of its own, not one of the pool's: it is never given back.
            connection = pool.connection_class(**pool.connection_kwargs)
            return RedisChannel(connection, FrameParser(self._prefix, known))
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

    def _listen(
        self, id_: str, deadline: float, stop: threading.Event, listened: threading.Event
    ) -> ResultMeta | None:
        """Return the entry once it is final, None at the deadline; tell when it has begun."""
        key = self._key(id_)
        client = self._connect()
        pubsub = client.pubsub()
        try:
            pubsub.subscribe(key)
            last_seen_at = time.monotonic()
            while not stop.is_set():
                now = time.monotonic()
                if now >= deadline:
                    break
                message = pubsub.get_message(timeout=min(_STOP_CHECK_INTERVAL, deadline - now))
                payload = None
                if message is None:
                    if now - last_seen_at >= _REREAD_AFTER:
                        payload, last_seen_at = client.get(key), now
                elif message["type"] == "subscribe":
                    # Also after redis-py has silently made a lost connection again.
                    listened.set()
                    payload, last_seen_at = client.get(key), now
                elif message["type"] == "message":
                    payload, last_seen_at = message["data"], now
                if payload and (found := from_payload(id_, payload)).ready:
                    return found
        finally:
            pubsub.close()
        return None

    def _key(self, id_: str) -> str:
        return self._prefix + id_

    def _connect(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._url, self._settings, self._meter)
            return self._client


def key_prefix(options: Mapping[str, Any]) -> str:
    """Return what a key-value backend puts before its keys: `_add_global_keyprefix` of Celery."""
    prefix = str(options.get("global_keyprefix") or "")
    return prefix if not prefix or prefix[-1] in ":_-." else prefix + "_"


def _client(url: str, settings: Settings, meter: ConnectionMeter) -> Any:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_timeout": READ_TIMEOUT,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        # The library would hide for seconds that nobody answers.
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
    """Return a client of the primary that the sentinels name, as `SentinelBackend` has it."""
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
    """Return how redis-py is told where to go: `RedisBackend._params_from_url`, of this client.

    Raises:
        ValueError: The URL cannot be right, or names code of the app's.
    """
    from kombu.utils.url import url_to_parts

    # Celery takes `redis+socket://` apart at the plus.
    parts = url_to_parts(url.partition("+")[2] if "+socket://" in url else url)
    query = parts.query
    if "credential_provider" in query:
        raise ValueError("the URL names a credential_provider, which is code of the app's")
    params: dict[str, Any] = {"db": _database(parts, query)}
    if parts.scheme == "socket":
        params["path"] = f"/{parts.path}"
    else:
        params |= {"host": parts.hostname or "localhost", "port": parts.port or 6379}
    params |= {
        key: value
        for key, value in (
            ("username", parts.username or query.get("username")),
            ("password", parts.password or query.get("password")),
        )
        if value
    }
    given = settings.redis_backend_use_ssl
    if (given or parts.scheme == "rediss") and "path" not in params:
        # Celery refuses to guess; who answers is checked unless it is said otherwise.
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
