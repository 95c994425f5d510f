"""Series read from a real Prometheus that has samples of the past."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from math import isnan
from typing import Final

import pytest
from celtop.metrics.query import Kind, PrometheusError, PrometheusSeries, expression
from celtop.model.ingest.series_recorder import (
    CLUSTER_VALUES,
    QUEUE_VALUES,
    TYPE_VALUES,
    WORKER_VALUES,
)
from celtop.tests.prometheus import PrometheusServer
from celtop.tests.servers import free_port

MINUTE: Final = 60
HOUR: Final = 3_600
START: Final = int(time.time()) // HOUR * HOUR - 8 * HOUR
"""The past begins; Prometheus takes no blocks of the last three hours."""
QUEUE: Final = 'mail "2"\\x1b'
"""As the label of a queue whose name has an escape character."""
HALF_HOUR: Final = 30


def past() -> str:
    """Return four hours: one task a second, four waiting messages, after two hours eight."""
    label = QUEUE.replace("\\", "\\\\").replace('"', '\\"')
    lines = ["# TYPE celtop_tasks counter"]
    times = range(START, START + 4 * HOUR + 1, 30)
    lines += [
        f'celtop_tasks_total{{task="a.b",event="succeeded",job="x"}} {at - START} {at}'
        for at in times
    ]
    lines += [
        f'celtop_tasks_total{{task="a.b",event="succeeded",job="y"}} {9 * (at - START)} {at}'
        for at in times
    ]
    lines += ["# TYPE celtop_queue_waiting gauge"]
    lines += [
        f'celtop_queue_waiting{{queue="{label}",cluster="shop",job="x"}}'
        f" {4 if at < START + 2 * HOUR else 8} {at}"
        for at in times
    ]
    lines += ["# TYPE celtop_task_runtime_seconds histogram"]
    for bound, share in (("0.5", 0.0), ("1.0", 1.0), ("+Inf", 1.0)):
        lines += [
            f'celtop_task_runtime_seconds_bucket{{task="a.b",job="x",le="{bound}"}}'
            f" {share * (at - START)} {at}"
            for at in times
        ]
    return "\n".join([*lines, "# EOF"]) + "\n"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    server = PrometheusServer(tmp_path_factory.mktemp("prometheus"))
    server.backfill(past())
    yield server.start()
    server.close()


@pytest.fixture
def series(prometheus: PrometheusServer) -> PrometheusSeries:
    return PrometheusSeries(prometheus.url, {"job": "x"})


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("cluster", CLUSTER_VALUES),
        ("queue", QUEUE_VALUES),
        ("worker", WORKER_VALUES),
        ("type", TYPE_VALUES),
    ],
)
def test_every_value_of_charts_has_a_query(
    kind: Kind, names: tuple[str, ...], prometheus: PrometheusServer
) -> None:
    query = expression('job="x"', kind, 'a"b\\', 60)
    assert [name for name in names if f'"celtop_value", "{name}"' not in query] == []
    prometheus.query(query)  # no error


def test_a_rate_in_steps_of_the_past(series: PrometheusSeries) -> None:
    found = series.series("shop", "cluster", "", START + HOUR, START + 2 * HOUR, 10 * MINUTE)
    assert [round(value, 3) for value in found["succeeded"]] == [1.0] * 6
    assert [round(value, 3) for value in found["runtime_p95"]] == [0.975] * 6
    assert "received" not in found, "it has no samples"


def test_the_steps_lie_where_those_of_the_history_do(series: PrometheusSeries) -> None:
    start, end = START + HOUR, START + 3 * HOUR
    found = series.series("shop", "queue", 'mail "2"\x1b', start, end, HALF_HOUR * MINUTE)
    waiting = [round(value) for value in found["waiting"]]
    assert waiting == [4, 4, 8, 8]


def test_what_is_not_there_is_unknown(series: PrometheusSeries) -> None:
    found = series.series("shop", "type", "a.b", START - HOUR, START + HOUR, HALF_HOUR * MINUTE)
    unknown = [isnan(value) for value in found["succeeded"]]
    assert unknown == [True, True, False, False]
    assert series.series("shop", "type", "nothing", START, START + HOUR, 60) == {}
    assert series.series("shop", "type", "a.b", START, START, 60) == {}


def test_another_cluster_has_other_series(series: PrometheusSeries) -> None:
    start, end = START + HOUR, START + 2 * HOUR
    assert series.series("mail.*", "queue", 'mail "2"\x1b', start, end, 600) == {}


def test_other_labels_select_other_series(prometheus: PrometheusServer) -> None:
    other = PrometheusSeries(prometheus.url, {"job": "y"})
    found = other.series("shop", "cluster", "", START + HOUR, START + 2 * HOUR, 10 * MINUTE)
    assert [round(value, 3) for value in found["succeeded"]] == [9.0] * 6


def test_a_server_that_is_not_there() -> None:
    url = f"http://user:secret@127.0.0.1:{free_port()}"
    with pytest.raises(PrometheusError) as raised:
        PrometheusSeries(url).series("shop", "cluster", "", START, START + HOUR, 60)
    assert "refused" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "user:***@127.0.0.1" in str(raised.value)


def test_a_query_that_prometheus_refuses(prometheus: PrometheusServer) -> None:
    with pytest.raises(PrometheusError, match=r"HTTP 400: .*parse error"):
        PrometheusSeries(prometheus.url, {"not a label": "x"}).series("", "cluster", "", 0, 60, 60)


class _NoPrometheus(BaseHTTPRequestHandler):
    asked: Final[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>welcome</html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_a_server_that_is_no_prometheus_gets_the_password() -> None:
    with HTTPServer(("127.0.0.1", 0), _NoPrometheus) as server:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        url = f"http://me:p%40ss@127.0.0.1:{server.server_port}/prefix/"
        with pytest.raises(PrometheusError, match="no JSON"):
            PrometheusSeries(url).series("", "cluster", "", 0, 60, 60)
        serving.join()
    assert _NoPrometheus.asked == ["Basic bWU6cEBzcw=="]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "SSH-2.0"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{", "no JSON"),
        (b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n", "HTTP 302"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000, "no JSON"),
    ],
)
def test_a_server_of_another_kind(answer: bytes, reason: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                # Closed with a part of the request unread, it would reset the answer as well.
                while connection.recv(65_536):
                    pass

        serving = threading.Thread(target=serve)
        serving.start()
        url = f"http://me:secret@127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(PrometheusError, match=reason):
            PrometheusSeries(url).series("", "cluster", "", 0, 60, 60)
        serving.join()
