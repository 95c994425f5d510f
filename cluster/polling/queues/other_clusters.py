"""Looks for other Celery clusters on the same Redis server.

With another database, key prefix or channel prefix than the workers use, a cluster looks empty.
Channels have no databases, so a pattern subscription shows the heartbeats of every cluster on the
server. Keys show clusters without workers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

import msgspec

from ....model.entities.cluster.other_cluster import OtherCluster
from ....model.text.coerce import MAX_NAME_LENGTH
from ...connection.redis.keys import exactly

LISTEN_SECONDS: Final = 2.5
"""Seconds to wait for heartbeats, which workers send every two seconds."""
MAX_CLUSTERS: Final = 8
"""Other clusters that are remembered."""
MAX_WORKERS: Final = 3
"""Workers that are named for each of them."""
MAX_MESSAGES: Final = 500
"""Messages that are examined."""
MAX_DATABASES: Final = 16
"""Other databases that are searched for bindings."""
SCAN_COUNT: Final = 10_000
"""Keys that are examined in each of them."""
HEARTBEAT: Final = "/worker.heartbeat"
"""The end of a channel with heartbeats, if `fanout_patterns` is on."""

_FANOUT: Final = re.compile(r"(?P<prefix>.*)(?P<fanout>/(?P<database>\d{1,9})\.)(?P<exchange>.*)")


class Channel(NamedTuple):
    """How a cluster's event channel is composed."""

    key_prefix: str
    fanout_prefix: str
    """`/{db}.` by default."""
    exchange: str
    patterns: bool
    """Whether the routing key is part of the channel (`fanout_patterns`)."""

    @property
    def database(self) -> int | None:
        """The database in the default fanout prefix; None if it is another prefix."""
        found = re.fullmatch(r"/(\d+)\.", self.fanout_prefix)
        return None if found is None else int(found[1])


def parse_channel(name: str, exchange: str, key_prefixes: Collection[str]) -> Channel:
    """Return the parts of an event channel's name.

    Args:
        name: The channel.
        exchange: The event exchange of this cluster, which the other one is likely to share.
        key_prefixes: Known key prefixes, which distinguish them from channel prefixes.
    """
    patterns = name.endswith(HEARTBEAT)
    topic = name.removesuffix(HEARTBEAT)
    if found := _FANOUT.fullmatch(topic):
        return Channel(found["prefix"], found["fanout"], found["exchange"], patterns)
    prefix = topic.removesuffix(exchange)
    if prefix == topic and exchange:
        return Channel("", "", topic, patterns)
    known = max((one for one in key_prefixes if prefix.startswith(one)), key=len, default="")
    return Channel(known, prefix.removeprefix(known), exchange, patterns)


def remedy(own: Channel, other: Channel) -> str:
    """Return what to change to see the other cluster; empty if there is nothing to change."""
    options = []
    if other.key_prefix != own.key_prefix:
        options.append(f"global_keyprefix = {msgspec.json.encode(other.key_prefix).decode()}")
    default = other.database is not None
    if other.fanout_prefix != own.fanout_prefix and not (default and own.database is not None):
        value = "true" if default else "false"
        if not default and other.fanout_prefix:
            value = msgspec.json.encode(other.fanout_prefix).decode()
        options.append(f"fanout_prefix = {value}")
    if other.patterns != own.patterns:
        options.append(f"fanout_patterns = {'true' if other.patterns else 'false'}")
    steps = []
    if other.database is not None and other.database != own.database:
        steps.append(f"use database {other.database} in the broker URL")
    if options:
        steps.append(f"set {', '.join(options)} in broker_transport_options")
    if other.exchange != own.exchange:
        steps.append(f"set event_exchange = {msgspec.json.encode(other.exchange).decode()}")
    return " and ".join(steps)


class OtherClusterSearch:
    """Searches a Redis server; `channel` is kombu's, with the options of this cluster."""

    def __init__(self, redis: Any, channel: Any, exchange: str) -> None:
        self._redis = redis
        self._channel = channel
        self._database = int(channel.pool.connection_kwargs.get("db") or 0)
        self._own = Channel(
            channel.global_keyprefix,
            channel.keyprefix_fanout,
            exchange,
            bool(channel.fanout_patterns),
        )

    def run(self, key_prefixes: Collection[str], wanted: Callable[[], bool]) -> list[OtherCluster]:
        """Return the clusters found, those with workers first.

        Args:
            key_prefixes: The prefixes of bindings in this database other than the own one.
            wanted: Whether to go on: false as soon as this cluster turns out not to be empty.
        """
        found: dict[str, OtherCluster] = {}
        for name, workers in self._listen(wanted).items():
            its = parse_channel(name, self._own.exchange, {*key_prefixes, self._own.key_prefix})
            if its == self._own:
                return []
            cure = remedy(self._own, its)
            if cure:
                named = tuple(sorted(workers)[:MAX_WORKERS])
                here = its.database in (None, self._own.database)
                found[cure] = OtherCluster(f"events on channel {name}", cure, here, named)
        if not wanted():
            return []
        for prefix in sorted(key_prefixes):
            its = self._own._replace(key_prefix=prefix)
            found.setdefault(remedy(self._own, its), _by_keys(prefix, None, remedy(self._own, its)))
        if not found:
            for database, prefix in self._other_databases():
                fanout = f"/{database}."
                its = self._own._replace(key_prefix=prefix, fanout_prefix=fanout)
                found[remedy(self._own, its)] = _by_keys(prefix, database, remedy(self._own, its))
        return list(found.values())[:MAX_CLUSTERS]

    def _listen(self, wanted: Callable[[], bool]) -> dict[str, set[str]]:
        """Return the workers whose heartbeats arrive, by channel."""
        from redis.exceptions import ResponseError

        found: dict[str, set[str]] = {}
        pubsub = self._redis.pubsub()
        try:
            pubsub.psubscribe(f"*{HEARTBEAT}", f"*{exactly(self._own.exchange)}")
            deadline = time.monotonic() + LISTEN_SECONDS
            for _ in range(MAX_MESSAGES):
                left = deadline - time.monotonic()
                if left <= 0 or not wanted():
                    break
                message = pubsub.get_message(timeout=min(left, 0.1))
                if message is None or message["type"] != "pmessage":
                    continue
                name = message["channel"].decode(errors="replace")[:MAX_NAME_LENGTH]
                worker = _sender(message["data"])
                if worker is not None and (name in found or len(found) < MAX_CLUSTERS):
                    found.setdefault(name, set()).add(worker)
        except ResponseError:
            pass  # not allowed to subscribe to other channels
        finally:
            pubsub.close()
        return found

    def _other_databases(self) -> list[tuple[int, str]]:
        """Return the other databases with bindings, and the key prefix of these."""
        from redis import ConnectionPool, Redis
        from redis.exceptions import ResponseError

        pool = self._channel.pool
        if "connection_pool" in pool.connection_kwargs:
            return []  # Sentinel's pool finds its own server
        infix = str(self._channel.keyprefix_queue % "")
        found = []
        try:
            keyspace = self._redis.info("keyspace")
            names = [name for name in keyspace if name != f"db{self._database}"]
            for name in names[:MAX_DATABASES]:
                number = int(name.removeprefix("db"))
                options = {**pool.connection_kwargs, "db": number}
                other = ConnectionPool(connection_class=pool.connection_class, **options)
                with Redis(connection_pool=other) as client:
                    _, keys = client.scan(0, match=f"*{exactly(infix)}*", count=SCAN_COUNT)
                other.disconnect()
                prefixes = {key.decode(errors="replace").partition(infix)[0] for key in keys}
                found += [(number, prefix) for prefix in sorted(prefixes)[:MAX_CLUSTERS]]
        except ResponseError:
            return found  # not allowed to look into other databases
        return found


def _by_keys(prefix: str, database: int | None, cure: str) -> OtherCluster:
    where = "" if database is None else f" in database {database}"
    trace = f"queue bindings in keys {prefix}_kombu.binding.*{where}"
    return OtherCluster(trace, cure, same_database=database is None)


def _sender(data: bytes) -> str | None:
    """Return the node name of an event's sender; None if it is not an event."""
    try:
        name = msgspec.json.decode(data)["headers"]["hostname"]
    except (msgspec.MsgspecError, RecursionError, KeyError, TypeError):
        return None
    return name[:MAX_NAME_LENGTH] if isinstance(name, str) else None
