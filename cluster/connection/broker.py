"""How the broker is reached: its URLs, its options, and a fresh connection for each thread.

Nothing here reads the environment or makes a Celery app: `CELERY_BROKER_URL` beats even an explicit
URL there, and what `Settings` says is what is meant.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from ...model.entities.broker import family_of
from ...settings import Settings, mask_url
from .metering import ConnectionMeter, metered

if TYPE_CHECKING:
    from kombu.connection import Connection

CONNECT_TIMEOUT: Final = 4.0
"""Seconds for the broker to accept."""
READ_TIMEOUT: Final = 5.0
"""Seconds for the broker to answer a command; without it, a silent one blocks for ever."""

_CERTIFICATE_UNCHECKED: Final = (
    "The connection is encrypted, but the broker's certificate is not verified: whoever answers "
    "is believed. Add ssl_cert_reqs=required&ssl_ca_certs=FILE to the URL"
)
_NAME_UNCHECKED: Final = (
    "The broker's certificate is verified, but not that it was issued for this host. Set "
    "server_hostname in broker_use_ssl"
)


class BrokerConnection:
    """The broker that `Settings` names, or the present one of several for failover."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.urls = split_urls(settings.broker_url)
        self.wire = ConnectionMeter()
        self._present = 0

    @property
    def url(self) -> str:
        """The URL in use, with its password: never to be shown."""
        return self.urls[self._present % len(self.urls)] if self.urls else ""

    @property
    def shown_url(self) -> str:
        """The URL in use, with its password masked."""
        return mask_url(self.url)

    @property
    def scheme(self) -> str:
        """The kind of broker as the URL names it: `redis`, `amqps`, `sqs`, ..."""
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
        """What the app puts before each of its Redis keys."""
        return str(self.settings.broker_transport_options.get("global_keyprefix", ""))

    def fail_over(self) -> None:
        """Turn to the next URL, if there are several."""
        self._present += 1

    def connect(self, heartbeat: float = 0.0, silence: int = 0) -> Connection:
        """Return a new, established connection; the caller closes it.

        Args:
            heartbeat: Seconds between AMQP heartbeats; the caller must check them. 0 is none.
            silence: Seconds without a message after which a Redis connection is pinged. 0 is never.

        Raises:
            Exception: Whatever the transport raises; `faults.explain` puts it into words.
        """
        connection = self._prepare(heartbeat, silence)
        try:
            connection.ensure_connection(max_retries=0)
        except BaseException:
            connection.collect()
            raise
        return connection

    def certificate_doubt(self) -> str | None:
        """Say what is not verified of an encrypted connection; None if all is, or without TLS."""
        options = self._prepare().ssl
        if not options:
            return None if self.scheme != "amqps" else _NAME_UNCHECKED
        if options is True:
            return _NAME_UNCHECKED
        required = options.get("ssl_cert_reqs", options.get("cert_reqs"))
        if required in (ssl.CERT_NONE, "none"):
            return _CERTIFICATE_UNCHECKED
        named = options.get("server_hostname") or options.get("context")
        return _NAME_UNCHECKED if self.is_amqp and not named else None

    def hide(self, text: str) -> str:
        """Return an error's text without any password that is in the URLs that we were told."""
        for url in (*self.urls, self.settings.result_backend or ""):
            for secret in secrets_of(url):
                text = text.replace(secret, "***")
        return mask_url(text)

    def _prepare(self, heartbeat: float = 0.0, silence: int = 0) -> Connection:
        from kombu.connection import Connection
        from kombu.transport import get_transport_cls

        if not self.urls:
            raise ValueError("no broker URL")
        options = dict(self.settings.broker_transport_options)
        # A scheme may not name a module to import: only kombu's own table counts.
        if "." in self.scheme or ":" in self.scheme:
            raise KeyError(f"No such transport: {self.scheme}")
        transport = get_transport_cls(self.scheme)
        if self.is_redis:
            # These are about this client, not about the app: ours win over the app's options.
            options |= {
                "socket_timeout": READ_TIMEOUT,
                "socket_connect_timeout": CONNECT_TIMEOUT,
                "health_check_interval": silence,
                "retry_on_timeout": False,
                # Or whoever consumes anything here also redelivers the app's unacknowledged tasks,
                # after a time that only the app knows: they would run twice because we looked.
                "ack_emulation": False,
            }
        connection = Connection(
            self.url,
            ssl=self._ssl(),
            heartbeat=heartbeat,
            connect_timeout=CONNECT_TIMEOUT,
            transport_options=options,
        )
        if self.is_amqp and isinstance(connection.ssl, dict):
            # kombu hands a URL's `ssl_ca_certs=` to py-amqp, which knows it as `ca_certs`.
            connection.ssl = {
                key.removeprefix("ssl_"): value for key, value in connection.ssl.items()
            }
        # Resolved from the URL just now: all else that the URL decides stays as kombu has it.
        connection.transport_cls = metered(transport, self.wire)
        return connection

    def _ssl(self) -> dict[str, Any] | bool:
        given = self.settings.broker_use_ssl
        if not given:
            return False
        if given is True:
            # kombu would take a bare True for "no TLS" on Redis.
            return {"ssl_cert_reqs": ssl.CERT_REQUIRED} if self.is_redis else True
        return {key: verify_mode(value) for key, value in given.items()}


def verify_mode(value: Any) -> Any:
    """Turn `CERT_REQUIRED` or `required`, as a config file can spell it, into the constant."""
    if isinstance(value, str):
        name = f"CERT_{value.upper().removeprefix('CERT_')}"
        return ssl.VerifyMode.__members__.get(name, value)
    return value


def split_urls(text: str) -> tuple[str, ...]:
    """Return the broker URLs in a setting; the nodes of one Sentinel group stay together."""
    urls = tuple(part.strip() for part in text.split(";") if part.strip())
    if urls and all(scheme_of(url) == "sentinel" for url in urls):
        return (";".join(urls),)
    return urls


def scheme_of(url: str) -> str:
    """Return the transport that a URL names; `redis+socket` and its like are their first half."""
    scheme, found, _ = url.partition("://")
    # What has no scheme is a host name, and kombu takes it for RabbitMQ's.
    return scheme.partition("+")[0] if found else "amqp"


def secrets_of(url: str) -> list[str]:
    """Return every way in which a password of a URL may be spelled."""
    found: set[str] = set()
    for part in url.split(";"):
        try:
            password = urlsplit(part).password
        except ValueError:
            continue
        if password and len(password) > 2:
            found |= {password, unquote(password), quote(password, safe="")}
    return sorted(found, key=len, reverse=True)
