"""The management API as an HTTP server that replies, refuses, redirects or lies."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection import management_api
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.connection.management_api import ManagementApi, ManagementError, management_urls
from celtop.settings import Settings
from celtop.tests.servers import make_certificates

Reply = tuple[int, dict[str, str], bytes]


class Handler(BaseHTTPRequestHandler):
    """Replies as the test has set, and records the requests."""

    protocol_version = "HTTP/1.1"
    replies: list[Reply]
    requests: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.requests.append((self.path, self.headers["Authorization"]))
        status, headers, body = self.replies.pop(0)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if headers.get("X-Then") == "close":
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """`serve((200, {}, b"[]"), ...)`: a server with these replies; returns `host:port`."""
    servers = []

    def start(*replies: Reply, tls: ssl.SSLContext | None = None) -> str:
        Handler.replies, Handler.requests = list(replies), []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def api_of(management: str | None, url: str = "amqp://u:s3cret-word@127.0.0.1/v") -> ManagementApi:
    broker = BrokerConnection(Settings(broker_url=url, rabbitmq_management=management))
    return ManagementApi(broker, broker.prepare())


def error_of(api: ManagementApi) -> str:
    with pytest.raises(ManagementError) as caught:
        api.get("queues")
    return str(caught.value.fault)


def test_a_reply_with_the_credentials_of_the_broker(serve: Callable[..., str]) -> None:
    api = api_of(serve((200, {}, b'{"a": 1}'), (200, {"X-Then": "close"}, b"[]"), (200, {}, b"2")))
    assert [api.get("queues/v"), api.get("x"), api.get("y")] == [{"a": 1}, [], 2]
    assert Handler.requests[0] == ("/api/queues/v", "Basic dTpzM2NyZXQtd29yZA==")
    api.close()


def test_a_url_with_credentials_and_a_path(serve: Callable[..., str]) -> None:
    api = api_of(f"http://other:p%40ss@{serve((200, {}, b'[]'))}/rabbit/api/")
    assert api.get("queues") == []
    assert Handler.requests == [("/rabbit/api/queues", "Basic b3RoZXI6cEBzcw==")]
    api.close()


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ((401, {}, b""), "refused the user u"),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), "redirects to another address"),
        ((404, {}, b""), "replied with HTTP status 404"),
        ((200, {}, b"<html>"), "cannot be used"),
        ((200, {}, b"[" + b"1," * 600 + b"1]"), "the reply is too large"),
    ],
)
def test_other_replies_are_explained(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, reply: Reply, problem: str
) -> None:
    monkeypatch.setattr(management_api, "MAX_REPLY_BYTES", 1_000)
    text = error_of(api_of(serve(reply)))
    assert problem in text and "s3cret-word" not in text
    assert len(Handler.requests) == 1


@pytest.mark.parametrize(
    ("reason", "problem", "advice"),
    [
        (b'"Login failed"', "refused the password of the user u", "Check the user and password"),
        (b'"Not management user"', "refused the user u", "rabbitmqctl set_user_tags u management"),
        (
            b'"User not authorised to access virtual host"',
            "refused the user u access to the virtual host",
            "rabbitmqctl set_permissions",
        ),
        (b"7", "refused the user u", "rabbitmqctl set_user_tags u management"),
    ],
)
def test_a_refusal_is_explained_by_its_reason(
    serve: Callable[..., str], reason: bytes, problem: str, advice: str
) -> None:
    body = b'{"error": "not_authorised", "reason": ' + reason + b"}"
    text = error_of(api_of(serve((401, {}, body))))
    assert problem in text and advice in text


def test_nothing_listens() -> None:
    text = error_of(api_of("http://u:s3cret-word@127.0.0.1:9"))
    assert "http://u:***@127.0.0.1:9 refused the connection" in text
    assert "rabbitmq-plugins enable rabbitmq_management" in text


@pytest.mark.parametrize(
    ("url", "options", "expected"),
    [
        ("amqp://u:p@rabbit:5673/v", {}, ["http://rabbit:15672"]),
        ("amqp://[::1]//", {}, ["http://[::1]:15672"]),
        ("amqps://rabbit/v", {}, ["https://rabbit:15671", "https://rabbit:443"]),
        ("amqp://h?ssl_ca_certs=/x", {}, ["https://h:15671", "https://h:443"]),
        ("amqp://rabbit", {"rabbitmq_management": "never"}, []),
        ("amqps://rabbit", {"rabbitmq_management": "web:80"}, ["http://web:80"]),
        ("redis://rabbit", {}, []),
    ],
)
def test_where_it_is_looked_for(url: str, options: dict[str, Any], expected: list[str]) -> None:
    broker = BrokerConnection(Settings(broker_url=url, **options))
    assert list(management_urls(broker, broker.prepare())) == expected


def test_certificates_are_verified_as_for_the_broker(
    serve: Callable[..., str], tmp_path: Path
) -> None:
    files = make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["cert"], files["key"])
    host = serve((200, {}, b"[]"), (200, {}, b"[]"), tls=context)
    trusting = f"amqps://u:p@127.0.0.1?ssl_ca_certs={files['ca']}"
    api = api_of(f"https://{host}", trusting)
    assert api.get("queues") == []
    api.close()
    assert "CERTIFICATE_VERIFY_FAILED" in error_of(api_of(f"https://{host}", "amqps://u:p@h"))
    careless = api_of(f"https://{host}", "amqps://u:p@h?ssl_cert_reqs=none")
    assert careless.get("queues") == []
    careless.close()
