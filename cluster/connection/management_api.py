"""Reads RabbitMQ's management API, an HTTP server that the plugin `rabbitmq_management` starts.

Nothing is changed, except that reading messages marks them as redelivered. The user's password goes
to the broker's own host or to the URL in the settings, and redirects are not followed.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from ...model.entities.fault import Fault
from ...model.text.coerce import to_text
from ...model.text.passwords import mask_url
from ...model.text.urls import quote_credentials
from .broker import BrokerConnection, verify_mode
from .faults.errors import Rule, first_match, reason_of

if TYPE_CHECKING:
    from kombu.connection import Connection

NEVER: Final = "never"
"""The setting that turns the management API off."""
HTTP_PORTS: Final = (15672,)
"""Where the API is looked for on the broker's host."""
HTTPS_PORTS: Final = (15671, 443)
"""The same for a broker with TLS; hosted brokers use the port of HTTPS."""
CONNECT_TIMEOUT: Final = 4.0
"""Seconds for the API to accept a connection."""
READ_TIMEOUT: Final = 15.0
"""Seconds for a reply: in a large cluster with a high load, a list takes long."""
MAX_REPLY_BYTES: Final = 8 << 20
"""Size of a reply; 5,000 queues take about 0.5 MiB."""
_ENABLE: Final = (
    "Run rabbitmq-plugins enable rabbitmq_management, or set rabbitmq_management to the URL of the "
    "API"
)
_RULES: Final = (
    Rule(
        "auth",
        r"HTTP status 40[13].*Login failed",
        "the management API at {url} refused the password of the user {user}",
        "Check the user and password in rabbitmq_management, or in the broker URL if it has none",
    ),
    Rule(
        "auth",
        r"HTTP status 40[13].*virtual host",
        "the management API at {url} refused the user {user} access to the virtual host",
        "Give the user permissions with rabbitmqctl set_permissions, or name another user in "
        "rabbitmq_management",
    ),
    Rule(
        "auth",
        r"HTTP status 40[13]",
        "the management API at {url} refused the user {user}",
        "Give the user the tag management: rabbitmqctl set_user_tags {user} management",
    ),
    Rule(
        "redirect",
        r"HTTP status 3\d\d",
        "{url} redirects to another address, which is not followed",
        "Set rabbitmq_management to the URL of the API",
    ),
    Rule(
        "http",
        r"HTTP status",
        "{url} replied with {reason} instead of the queues",
        "Set rabbitmq_management to the URL of the API",
    ),
    Rule(
        "refused",
        r"ConnectionRefused",
        "the management API at {url} refused the connection",
        _ENABLE,
    ),
    Rule(
        "timeout",
        r"timed out",
        "the management API at {url} does not respond in time",
        "Check the load of the broker; celtop tries again in a minute",
    ),
    Rule(
        "tls",
        r"CERTIFICATE_VERIFY_FAILED|SSL",
        "the TLS connection to the management API at {url} failed: {reason}",
        "Set ssl_ca_certs in the broker URL or ca_certs in broker_use_ssl, or set "
        "rabbitmq_management",
    ),
    Rule("other", r"", "the management API at {url} cannot be used: {reason}", _ENABLE),
)
TURNED_OFF: Final = Fault(
    "unsupported",
    "the management API is not used: rabbitmq_management is never",
    "Remove the setting rabbitmq_management, or set it to the URL of the API",
)
_REFUSED: Final = (http.client.UNAUTHORIZED, http.client.FORBIDDEN)
_STALE: Final = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)
"""The errors of a connection that the server closed while it was idle."""


class _Refusal(msgspec.Struct):
    """The reply to a request that is not allowed."""

    reason: str = ""


class ManagementError(Exception):
    """The management API cannot be used, as `fault` explains."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class ManagementApi:
    """The management API of the broker that a connection leads to."""

    def __init__(self, broker: BrokerConnection, connection: Connection) -> None:
        self._broker = broker
        self._login = str(connection.userid or "guest"), str(connection.password or "guest")
        options = connection.ssl
        self._tls = options if isinstance(options, dict) else {}
        self._urls = management_urls(broker, connection)
        self._http: _Http | None = None
        self._found: str | None = None

    @property
    def _sock(self) -> socket.socket | None:
        """The open socket, with which `ConnectionMeter` cuts the connection."""
        return self._http.sock if self._http is not None else None

    @property
    def is_wanted(self) -> bool:
        """Whether it may be asked at all."""
        return bool(self._urls)

    def get(self, path: str) -> Any:
        """Return the decoded reply to a GET of a path below `/api/`.

        Raises:
            ManagementError: It cannot be reached, refuses the request or replies something else.
        """
        return self._first_reply(path, None)

    def post(self, path: str, body: object) -> Any:
        """Return the decoded reply to a POST of a JSON body to a path below `/api/`.

        Raises:
            ManagementError: As for `get`.
        """
        return self._first_reply(path, msgspec.json.encode(body))

    def _first_reply(self, path: str, body: bytes | None) -> Any:
        """Return the reply at the first URL that works; with a body, to a POST of it."""
        if self._found is not None:
            return self._reply(self._found, path, body)
        first: ManagementError | None = None
        for url in self._urls:
            try:
                reply = self._reply(url, path, body)
            except ManagementError as error:
                first = first or error
            else:
                self._found = url
                return reply
        raise first or ManagementError(TURNED_OFF)

    def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _reply(self, url: str, path: str, body: bytes | None) -> Any:
        try:
            status, reply = self._request(url, path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise ManagementError(self._explain(url, error)) from error
        if status != http.client.OK:
            self.close()
            refused = _reason(reply) if status in _REFUSED else ""
            raise ManagementError(
                self._explain(url, OSError(f"HTTP status {status} {refused}".strip()))
            )
        try:
            return msgspec.json.decode(reply)
        except msgspec.DecodeError as error:
            raise ManagementError(self._explain(url, error)) from error

    def _request(self, url: str, path: str, sent: bytes | None) -> tuple[int, bytes]:
        """Return the status and the body of a reply.

        Raises:
            ValueError: The URL is invalid, or the reply is too large.
        """
        parts = urlsplit(url)
        target = f"{parts.path.rstrip('/').removesuffix('/api')}/api/{path}"
        login = base64.b64encode(":".join(self._login_at(url)).encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Accept": "application/json"}
        if sent:
            headers["Content-Type"] = "application/json"
        reused = self._http is not None
        while True:
            connection = self._http or self._connect(url)
            try:
                if connection.sock is None:
                    connection.connect()
                self._broker.meter.count()
                connection.request("POST" if sent else "GET", target, sent, headers)
                response = connection.getresponse()
                body = response.read(MAX_REPLY_BYTES + 1)
            except _STALE:
                self.close()
                if not reused:
                    raise
                reused = False
                continue
            if len(body) > MAX_REPLY_BYTES:
                raise ValueError("the reply is too large")
            return response.status, body

    def _connect(self, url: str) -> _Http:
        parts = urlsplit(url)
        encrypted = parts.scheme == "https"
        context = _context(self._tls) if encrypted else None
        default = http.client.HTTPS_PORT if encrypted else http.client.HTTP_PORT
        host = parts.hostname or "localhost"
        name = str(self._tls.get("server_hostname") or host)
        self._http = _Http(host, parts.port or default, context, name)
        self._broker.meter.add(self)
        return self._http

    def _login_at(self, url: str) -> tuple[str, str]:
        """Return the user and password in a URL, otherwise the broker's."""
        parts = urlsplit(url)
        if parts.username is None:
            return self._login
        return unquote(parts.username), unquote(parts.password or "")

    def _explain(self, url: str, error: Exception) -> Fault:
        reason = reason_of(error, self._broker)
        user = to_text(self._login_at(url)[0], 100) or ""
        words = {"url": mask_url(url), "user": user, "reason": reason}
        fault = first_match(_RULES, f"{type(error).__name__}: {error}", words)
        assert fault is not None  # the last rule matches everything
        return fault


class _Http(http.client.HTTPConnection):
    """A connection that is encrypted if it has a context."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, name: str) -> None:
        super().__init__(host, port, timeout=CONNECT_TIMEOUT)
        self._context = context
        self._name = name

    def connect(self) -> None:
        super().connect()
        if self._context is not None:
            plain = self.sock
            try:
                self.sock = self._context.wrap_socket(plain, server_hostname=self._name)
            except BaseException:
                with contextlib.suppress(OSError):
                    plain.close()
                raise
        self.sock.settimeout(READ_TIMEOUT)


def management_urls(broker: BrokerConnection, connection: Connection) -> tuple[str, ...]:
    """Return the URLs where the management API may be, with the password if the setting has one.

    If the setting names none: on the broker's own host, encrypted if its connection is.
    """
    given = broker.settings.rabbitmq_management
    if given == NEVER or not broker.is_amqp:
        return ()
    if given:
        return (quote_credentials(given if "://" in given else f"http://{given}"),)
    try:
        host = urlsplit(broker.url).hostname or "localhost"
    except ValueError:
        return ()
    host = f"[{host}]" if ":" in host else host
    encrypted = broker.scheme == "amqps" or bool(connection.ssl)
    scheme, ports = ("https", HTTPS_PORTS) if encrypted else ("http", HTTP_PORTS)
    return tuple(f"{scheme}://{host}:{port}" for port in ports)


def _reason(reply: bytes) -> str:
    """Return why a request was refused, as the API explains it; empty if it does not."""
    try:
        return msgspec.json.decode(reply, type=_Refusal).reason
    except msgspec.DecodeError:
        return ""


def _context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """Return a TLS context that verifies certificate and host name, unless the options forbid it.

    `options` are those of the broker, as in `broker_use_ssl`.
    """
    context = ssl.create_default_context(
        cafile=options.get("ca_certs") or None, capath=options.get("ca_path") or None
    )
    if verify_mode(options.get("cert_reqs")) == ssl.CERT_NONE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.get("certfile"):
        context.load_cert_chain(options["certfile"], options.get("keyfile") or None)
    return context
