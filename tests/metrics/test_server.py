from __future__ import annotations

import gzip
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message

import pytest
from celtop.metrics import server as module
from celtop.metrics.exposition import Exposition
from celtop.metrics.health import SCHEMA, Health, failure
from celtop.metrics.server import Address, MetricsServer, read_address

OK = Health(SCHEMA, "ok", None, ())


class Prepared:
    """Pages that a test prepares; `None` is a model that does not answer."""

    def __init__(self) -> None:
        self.body: bytes | None = b"up 1\n"
        self.well = OK
        self.accepted = ""

    def metrics(self, accept: str) -> Exposition:
        self.accepted = accept
        if self.body is None:
            raise TimeoutError
        if self.body == b"":
            raise TypeError
        return Exposition("text/plain; version=0.0.4; charset=utf-8", self.body)

    def health(self) -> Health:
        return self.well


@pytest.fixture
def pages() -> Prepared:
    return Prepared()


@pytest.fixture
def server(pages: Prepared) -> Iterator[MetricsServer]:
    server = MetricsServer(Address("127.0.0.1", 0), pages)
    server.start()
    yield server
    server.stop()


def get(
    server: MetricsServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, Message, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://{server.address}{path}", None, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_metrics(server: MetricsServer, pages: Prepared) -> None:
    status, headers, body = get(server, "/metrics?x=1", Accept="application/openmetrics-text")
    assert (status, body) == (200, b"up 1\n")
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert pages.accepted == "application/openmetrics-text"


def test_a_long_page_is_compressed_where_that_is_accepted(
    server: MetricsServer, pages: Prepared
) -> None:
    pages.body = b"x" * 5_000
    _, headers, body = get(server, "/metrics", Accept_Encoding="br, GZIP;q=0.5")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == pages.body
    _, headers, body = get(server, "/metrics", Accept_Encoding="identity")
    assert (headers["Content-Encoding"], body) == (None, pages.body)


def test_health(server: MetricsServer, pages: Prepared) -> None:
    status, headers, body = get(server, "/health")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {
        "schema": "celtop.health/1",
        "status": "ok",
        "reason": None,
        "clusters": [],
    }
    pages.well = failure("redis://host/0: connection refused")
    status, _, body = get(server, "/health")
    assert status == 503
    assert json.loads(body)["reason"] == "redis://host/0: connection refused"


def test_a_model_that_does_not_answer(server: MetricsServer, pages: Prepared) -> None:
    pages.body = None
    status, _, body = get(server, "/metrics")
    assert (status, json.loads(body)["status"]) == (503, "failed")


def test_other_paths_and_methods(server: MetricsServer) -> None:
    assert get(server, "/")[0] == 200
    assert get(server, "/nothing")[0] == 404
    assert get(server, "/metrics", method="POST")[0] == 501
    assert get(server, "/metrics", method="HEAD")[::2] == (200, b"")


def test_the_server_names_no_versions(server: MetricsServer) -> None:
    assert get(server, "/")[1]["Server"] == "celtop"


def test_a_client_that_sends_nothing_keeps_no_other_waiting(server: MetricsServer) -> None:
    with socket.create_connection((server.address.host, server.address.port)):
        assert get(server, "/metrics")[0] == 200


def test_a_port_in_use(server: MetricsServer, pages: Prepared) -> None:
    with pytest.raises(OSError, match="in use"):
        MetricsServer(server.address, pages)


def test_a_stopped_server_releases_its_port(pages: Prepared) -> None:
    first = MetricsServer(Address("127.0.0.1", 0), pages)
    first.start()
    first.stop()
    second = MetricsServer(first.address, pages)
    assert second.address == first.address
    second.stop()


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("127.0.0.1:9808", Address("127.0.0.1", 9808), "127.0.0.1:9808"),
        ("[::1]:80", Address("::1", 80), "[::1]:80"),
        (":9808", Address("", 9808), ":9808"),
        ("metrics.example:1", Address("metrics.example", 1), "metrics.example:1"),
    ],
)
def test_addresses(text: str, address: Address, shown: str) -> None:
    assert read_address(text) == address
    assert str(address) == shown


@pytest.mark.parametrize(
    "text", ["", "localhost", "localhost:", "localhost:http", "a:65536", "::1:9808", "a:-1", "a:²"]
)
def test_not_an_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not HOST:PORT|needs brackets"):
        read_address(text)


def test_a_page_that_cannot_be_made(server: MetricsServer, pages: Prepared) -> None:
    pages.body = b""
    assert get(server, "/metrics")[0] == 500


def test_of_too_many_connections_the_oldest_are_closed(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 2)
    idle = [socket.create_connection((server.address.host, server.address.port)) for _ in range(2)]
    assert get(server, "/")[0] == 200
    idle[0].settimeout(5)
    assert idle[0].recv(1) == b""
    for one in idle:
        one.close()


def test_a_client_that_sends_slowly_is_cut_off(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.0)
    with socket.create_connection((server.address.host, server.address.port)) as slow:
        slow.sendall(b"GET /met")
        slow.settimeout(5)
        assert slow.recv(1) == b""
