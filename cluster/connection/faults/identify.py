"""Finds out what listens on the broker's port, when it does not fit the URL.

A client that meets another protocol sees nothing but a closed connection or a silence. One greeting
in plain text, and one TLS handshake, distinguish the usual mistakes.
"""

from __future__ import annotations

import re
import socket
import ssl
from typing import Final, NamedTuple

from ....model.entities.fault import Fault

TIMEOUT: Final = 2.0
"""Seconds for each of the two connections."""
GREETING: Final = b"PING\r\n\r\n"
"""Redis answers it, RabbitMQ answers any invalid header with its own, and HTTP with an error."""
_SERVERS: Final = (
    (re.compile(rb"[+]PONG|-NOAUTH|-DENIED|-ERR|-NOPERM|-LOADING|-MASTERDOWN"), "Redis"),
    (re.compile(rb"AMQP"), "RabbitMQ"),
    (re.compile(rb"HTTP/|<(!DOCTYPE|html)", re.IGNORECASE), "an HTTP server"),
    (re.compile(rb"SSH-"), "an SSH server"),
    (re.compile(rb"\x15\x03"), ""),
)
"""The beginnings of answers. A TLS server answers with an alert, which names no server."""
EXPECTED: Final = {"redis": "Redis", "amqp": "RabbitMQ"}
"""The server that a family of brokers expects."""
PORTS: Final = {"Redis": "6379, or 6380 with TLS", "RabbitMQ": "5672, or 5671 with TLS"}


class Listener(NamedTuple):
    """The server on a port."""

    server: str
    """`Redis`, `RabbitMQ`, `an HTTP server`, ...; empty if it is unknown."""
    tls: bool


def identify(host: str, port: int) -> Listener | None:
    """Return what listens on a port; None if nothing answers at all. Blocks for a few seconds."""
    try:
        with socket.create_connection((host, port), TIMEOUT) as plain:
            server = _greet(plain)
        if server:
            return Listener(server, tls=False)
        # Nothing secret is sent: the certificate does not matter.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((host, port), TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            return Listener(_greet(encrypted), tls=True)
    except ssl.SSLError as error:
        # A server that demands a client certificate, or refuses the version, still speaks TLS.
        speaks_tls = "ALERT" in (error.reason or "")
        return Listener("", tls=True) if speaks_tls else Listener("", tls=False)
    except (OSError, ValueError):
        return None


def mismatch(listener: Listener, scheme: str, family: str, address: str) -> Fault | None:
    """Return the fault if what listens does not fit a URL; None if it may."""
    expected = EXPECTED.get(family)
    if expected is None:
        return None
    if listener.server and listener.server != expected:
        return Fault(
            "server",
            f"{address} is {listener.server}, not {expected}",
            f"Use the port of {expected}, usually {PORTS[expected]}"
            + (f", or a URL for {listener.server}" if listener.server in PORTS else ""),
        )
    encrypted = {"redis": "rediss", "amqp": "amqps", "pyamqp": "amqps"}.get(scheme)
    if listener.tls and encrypted:
        return Fault(
            "tls",
            f"{address} requires TLS, but the URL begins with {scheme}://",
            f"Use {encrypted}://, or the broker's port without TLS",
        )
    return None


def _greet(connection: socket.socket) -> str:
    """Return the server that answers a greeting; empty if none does."""
    connection.settimeout(TIMEOUT)
    try:
        connection.sendall(GREETING)
        answer = connection.recv(256)
    except OSError:
        return ""
    return next((name for pattern, name in _SERVERS if pattern.match(answer)), "")
