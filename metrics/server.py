"""The HTTP server for `/metrics` and `/health`."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from .exposition import Exposition
from .health import Health, failure

REQUEST_TIMEOUT: Final = 10.0
"""Seconds for a client to send its request, and to read the response."""
MAX_CONNECTIONS: Final = 100
"""Each has a thread; of more, the oldest are closed."""
MIN_COMPRESSED: Final = 1_000
"""Bytes from which on a response is compressed."""
MAX_PORT: Final = 65_535

INDEX: Final = b"celtop\n\n/metrics  metrics for Prometheus\n/health   200, or 503 with a reason\n"
BUSY: Final = "celtop is too busy to answer"
FAILED: Final = b"The page could not be made\n"


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    """Empty for all interfaces."""
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def read_address(text: str) -> Address:
    """Return the address that a text names: `HOST:PORT`, `[::1]:PORT`, `:PORT`.

    Raises:
        ValueError: It names none; the message gives the reason.
    """
    host, colon, port = text.strip().rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
        raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:9808")
    if host.startswith("[") and host.endswith("]"):
        return Address(host[1:-1], int(port))
    if ":" in host:
        raise ValueError(f"{text!r} needs brackets around its IPv6 address: [{host}]:{port}")
    return Address(host, int(port))


class Pages(Protocol):
    """The content of the server's answer; called in its threads."""

    def metrics(self, accept: str) -> Exposition:
        """Return the metrics in the format of an Accept header. Raises: TimeoutError."""

    def health(self) -> Health:
        """Return whether all is well. Raises: TimeoutError."""


class MetricsServer:
    """Serves pages in threads of its own, from `start` to `stop`.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(self, address: Address, pages: Pages) -> None:
        self._server = _Server(address, pages)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True
        )

    @property
    def address(self) -> Address:
        """Where it listens; of port 0, the port that was free."""
        host, port = self._server.server_address[:2]
        return Address(str(host), int(port))

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no longer, and release the address."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: Address, pages: Pages) -> None:
        kind, flags = socket.SOCK_STREAM, socket.AI_PASSIVE
        found = socket.getaddrinfo(address.host or None, address.port, type=kind, flags=flags)
        self.address_family, *_, where = found[0]
        self.pages = pages
        self._connections: dict[socket.socket, float] = {}
        """When they were accepted, oldest first; changed in several threads."""
        super().__init__((str(where[0]), int(where[1])), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        self._connections[request] = time.monotonic()
        for connection in list(self._connections)[:-MAX_CONNECTIONS]:
            self._cut(connection)
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Close the connections of clients that take too long."""
        latest = time.monotonic() - REQUEST_TIMEOUT
        for connection, accepted_at in list(self._connections.items()):
            if accepted_at > latest:
                break
            self._cut(connection)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection that was answered."""
        self._connections.pop(request, None)
        super().shutdown_request(request)

    def _cut(self, connection: socket.socket) -> None:
        """Have the thread of a connection end."""
        self._connections.pop(connection, None)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a client that goes away is no fault, and stderr may be a terminal."""


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_TIMEOUT
    server: _Server

    def do_GET(self) -> None:
        """Answer with a page."""
        path = self.path.partition("?")[0]
        try:
            if path == "/metrics":
                page = self.server.pages.metrics(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, page.content_type, page.body)
            elif path == "/health":
                self._answer_health(self.server.pages.health())
            elif path == "/":
                self._answer(HTTPStatus.OK, "text/plain; charset=utf-8", INDEX)
            else:
                self.send_error(HTTPStatus.NOT_FOUND)
        except TimeoutError:
            self._answer_health(failure(BUSY))
        except OSError:
            raise  # the client has gone
        except Exception:
            # Without an answer, the client could not distinguish this from a lost connection.
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", FAILED)
            raise

    do_HEAD = do_GET

    def _answer_health(self, health: Health) -> None:
        status = HTTPStatus.OK if health.status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
        body = msgspec.json.encode(health) + b"\n"
        self._answer(status, "application/json", body)

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Vary", "Accept, Accept-Encoding")
        if len(body) >= MIN_COMPRESSED and self._accepts_gzip():
            body = gzip.compress(body, compresslevel=1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _accepts_gzip(self) -> bool:
        encodings = self.headers.get("Accept-Encoding", "").split(",")
        return any(one.partition(";")[0].strip().lower() == "gzip" for one in encodings)

    def version_string(self) -> str:
        """Return the name of the server, without the version of Python."""
        return "celtop"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: Prometheus asks every few seconds."""
