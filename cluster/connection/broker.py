"""Connects to the broker: URLs, failover, TLS and options; each thread gets its own connection.

Only `Settings` counts here. No Celery app is created and the environment is not read, since in
Celery `CELERY_BROKER_URL` overrides even an explicit URL.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from ...model.entities.broker import family_of
from ...model.entities.fault import Fault
from ...model.text.passwords import mask_text, mask_url
from ...model.text.urls import passwords, quote_credentials, split_urls
from ...settings import Settings
from .amqp_frames import frame_handler
from .decompression import bounded_transport
from .metering import ConnectionMeter, metered_transport

if TYPE_CHECKING:
    from kombu.connection import Connection

CONNECT_TIMEOUT: Final = 4.0
"""Seconds for the broker to accept a connection."""
SENTINEL_PORT: Final = 26379
CERTIFICATE_OPTIONS: Final = ("ca_certs", "certfile", "keyfile", "ca_path")
"""The ends of TLS options that name a file."""
READ_TIMEOUT: Final = 5.0
"""Seconds for the broker to answer a command; without it, a hung broker blocks forever."""
PATIENT_ROUND_TRIPS: Final = 4.0
"""The same in round trips, over a slow link."""

_CERTIFICATE_UNVERIFIED: Final = Fault(
    "unverified",
    "the connection is encrypted, but the broker's certificate is not verified, so any server is "
    "trusted",
    "Add ssl_cert_reqs=required&ssl_ca_certs=FILE to the URL",
)
_NAME_UNVERIFIED: Final = Fault(
    "unverified",
    "the broker's certificate is verified, but not that it was issued for this host name",
    "Set server_hostname in broker_use_ssl",
)
STOP_COMMANDS: Final = {"redis": 7, "amqp": 5}
"""Commands with which a session ends, and leaves task events as found."""


class BrokerConnection:
    """The broker that `Settings` names; of several failover URLs, the one in use.

    Args:
        settings: The settings.
        budget: Number of commands that optional ones may add up to, with those at the end.
    """

    def __init__(self, settings: Settings, budget: float = math.inf) -> None:
        self.settings = settings
        self.urls = broker_urls(settings.broker_url)
        self._index = 0
        self.meter = ConnectionMeter(budget - STOP_COMMANDS.get(family_of(self.scheme), 0))
        self.blocked: Fault | None = None
        """Why the broker accepts no messages although it is connected; None if it does."""
        self.declared_exchanges: set[str] = set()
        """Exchanges of remote control that exist, declared over any connection since the last
        failure of one."""
        self.writable_at = -math.inf
        """When a Redis server has last shown that it accepts writes, by the monotonic clock."""
        self.round_trip = 0.0
        """Seconds from a request to the broker's reply, measured at the last connect; 0 before."""

    @property
    def url(self) -> str:
        """The URL in use with its password: never show it."""
        return self.urls[self._index % len(self.urls)] if self.urls else ""

    @property
    def shown_url(self) -> str:
        """The URL in use with its password masked."""
        return mask_url(self.url)

    @property
    def scheme(self) -> str:
        """The transport named in the URL: `redis`, `amqps`, `sqs`, ..."""
        return scheme_of(self.url)

    @property
    def is_redis(self) -> bool:
        """Whether it speaks the Redis protocol."""
        return family_of(self.scheme) == "redis"

    @property
    def is_amqp(self) -> bool:
        """Whether it speaks AMQP."""
        return family_of(self.scheme) == "amqp"

    @property
    def key_prefix(self) -> str:
        """The prefix of the app's Redis keys."""
        return str(self.settings.broker_transport_options.get("global_keyprefix", ""))

    @property
    def identity(self) -> str:
        """The name of this cluster in files: the URLs without passwords, and the prefixes."""
        settings = self.settings
        parts = (mask_url(settings.broker_url), settings.control_exchange, self.key_prefix)
        return " ".join(part for part in parts if part)

    def sentinel_addresses(self) -> tuple[tuple[str, int], ...]:
        """Return the hosts and ports of the sentinels in the URL."""
        found = []
        for url in split_urls(self.url):
            try:
                parts = urlsplit(url)
                found.append((parts.hostname or "localhost", parts.port or SENTINEL_PORT))
            except ValueError:
                continue
        return tuple(found)

    def certificate_files(self) -> tuple[str, ...]:
        """Return the paths of certificates and keys in the URL and in `broker_use_ssl`."""
        given = self.settings.broker_use_ssl
        options = dict(parse_qsl(self.url.partition("?")[2]))
        options |= given if isinstance(given, dict) else {}
        return tuple(
            str(path)
            for name, path in options.items()
            if path and name.endswith(CERTIFICATE_OPTIONS)
        )

    def fail_over(self) -> None:
        """Switch to the next URL, if there are several."""
        self._index += 1

    def prepare(self, heartbeat: float = 0.0) -> Connection:
        """Return a new connection that is not established yet.

        Args:
            heartbeat: Seconds between AMQP heartbeats; 0 for none.

        Raises:
            Exception: The URL, an option or the transport cannot be used.
        """
        from kombu.connection import Connection
        from kombu.transport import get_transport_cls

        if not self.urls:
            raise ValueError("no broker URL")
        # By default, anything that needs a channel of a lost connection would reconnect for
        # seconds.
        options = {**self.settings.broker_transport_options, "max_retries": 0}
        # A scheme must not name a module to import: only kombu's own transports are allowed.
        if "." in self.scheme or ":" in self.scheme:
            raise KeyError(f"No such transport: {self.scheme}")
        transport = get_transport_cls(self.scheme)
        if self.is_redis:
            # These concern this client, not the app: they override the app's options.
            options |= {
                "socket_timeout": max(READ_TIMEOUT, PATIENT_ROUND_TRIPS * self.round_trip),
                "socket_connect_timeout": CONNECT_TIMEOUT,
                "health_check_interval": 0,
                "retry_on_timeout": False,
                # Otherwise every consumer also redelivers the app's unacknowledged tasks after a
                # timeout that only the app has: they would run twice because of celtop.
                "ack_emulation": False,
            }
        if self.scheme == "sentinel":
            options["sentinel_kwargs"] = _for_sentinels(options)
        if transport.driver_name == "py-amqp":
            options["frame_handler"] = frame_handler
        connection = Connection(
            self.url,
            ssl=self._ssl(),
            heartbeat=heartbeat,
            connect_timeout=CONNECT_TIMEOUT,
            transport_options=options,
        )
        if self.is_amqp and isinstance(connection.ssl, dict):
            # kombu passes a URL's `ssl_ca_certs=` on to py-amqp, which calls it `ca_certs`.
            connection.ssl = {
                key.removeprefix("ssl_"): value for key, value in connection.ssl.items()
            }
        # kombu has just resolved the class from the URL; everything else stays as kombu set it.
        connection.transport_cls = bounded_transport(metered_transport(transport, self.meter))
        return connection

    def connect(self, heartbeat: float = 0.0) -> Connection:
        """Return a new, established connection, which the caller closes.

        Args:
            heartbeat: Seconds between AMQP heartbeats, which the caller must check; 0 for none.

        Raises:
            Exception: Any error of the transport; `errors.explain` turns it into a `Fault`.
        """
        connection = self.prepare(heartbeat)
        started, sent_before = time.monotonic(), self.meter.sent_by_thread
        try:
            connection.ensure_connection(max_retries=0)
        except BaseException:
            connection.collect()
            raise
        requests = self.meter.sent_by_thread - sent_before
        self.round_trip = (time.monotonic() - started) / max(1, requests)
        return connection

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Open a connection for the block, and close it at the end.

        Raises:
            Exception: Any error of the transport; `errors.explain` turns it into a `Fault`.
        """
        connection = self.connect()
        try:
            yield connection
        finally:
            connection.collect()

    def unverified(self) -> Fault | None:
        """Return what is not verified about an encrypted connection; None if nothing is missing."""
        options = self.prepare().ssl
        if not options:
            return None if self.scheme != "amqps" else _NAME_UNVERIFIED
        if options is True:
            return _NAME_UNVERIFIED
        required = options.get("ssl_cert_reqs", options.get("cert_reqs"))
        if required in (ssl.CERT_NONE, "none"):
            return _CERTIFICATE_UNVERIFIED
        named = options.get("server_hostname") or options.get("context")
        return _NAME_UNVERIFIED if self.is_amqp and not named else None

    def hide(self, text: str) -> str:
        """Return a text without the passwords of the URLs in the settings."""
        settings = self.settings
        others = settings.result_backend or "", settings.rabbitmq_management or ""
        return hide(text, *self.urls, *others)

    def _ssl(self) -> dict[str, Any] | bool:
        given = self.settings.broker_use_ssl
        if not given:
            return False
        if given is True:
            # On Redis, kombu takes a bare True for "no TLS".
            return {"ssl_cert_reqs": ssl.CERT_REQUIRED} if self.is_redis else True
        return {key: verify_mode(value) for key, value in given.items()}


def _for_sentinels(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return how to connect to the sentinels: as the app does, but with our own timeouts."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    timeouts = {name: options[name] for name in ("socket_timeout", "socket_connect_timeout")}
    # redis-py would retry each of them for seconds; we try again ourselves.
    once = {"retry": Retry(NoBackoff(), 0)}
    return {**(options.get("sentinel_kwargs") or {}), **timeouts, **once}


def verify_mode(value: Any) -> Any:
    """Return the `ssl` constant for `CERT_REQUIRED` or `required`, as written in a config file."""
    if isinstance(value, str):
        name = f"CERT_{value.upper().removeprefix('CERT_')}"
        return ssl.VerifyMode.__members__.get(name, value)
    return value


def broker_urls(text: str) -> tuple[str, ...]:
    """Return the broker URLs in a setting; the nodes of one Sentinel group stay together."""
    urls = tuple(map(quote_credentials, split_urls(text)))
    if urls and all(scheme_of(url) == "sentinel" for url in urls):
        return (";".join(urls),)
    return urls


def scheme_of(url: str) -> str:
    """Return the transport that a URL names; of `redis+socket` the first half."""
    scheme, found, _ = url.partition("://")
    # Without a scheme it is a host name, which kombu takes for RabbitMQ's.
    return scheme.partition("+")[0] if found else "amqp"


def hide(text: str, *urls: str) -> str:
    """Return a text without the passwords of these URLs, and of the URLs in it."""
    for secret in (secret for url in urls for one in split_urls(url) for secret in passwords(one)):
        if len(secret) > 2:
            text = text.replace(secret, "***")
    return mask_text(text)
