"""Changes published by Redis arrive at once, at little cost, over any connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest
import redis
from celtop.cluster.connection.metering import ConnectionMeter, socket_of
from celtop.cluster.events.open_tasks import OpenTasks
from celtop.cluster.inbox import Inbox
from celtop.cluster.results.open import open_results
from celtop.cluster.results.push import ResultPush
from celtop.cluster.results.result_frames import MAX_PAYLOAD_BYTES, Payload, ResultFrames
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import LogMessage, ResultsRead
from celtop.settings import Settings
from celtop.tests.cluster.results.backends.test_redis import store
from celtop.tests.network import TcpProxy, black_hole
from celtop.tests.servers import RedisServer, make_certificates, until


class Listener:
    """A push thread on its own, and what it left."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.meter = ConnectionMeter()
        self.open_tasks = OpenTasks()
        self.inbox = Inbox(1000)
        reader = open_results(
            Settings(broker_url=url, result_backend=url, **settings), meter=self.meter
        )
        self.push = ResultPush(lambda: reader, self.open_tasks, self.inbox)
        self.notes: list[str] = []
        self.metas: list[ResultMeta] = []
        self.push.start()

    def take(self) -> list[ResultMeta]:
        """Return all entries that came so far."""
        while (one := self.inbox.take()) is not None:
            if isinstance(one, ResultsRead):
                assert one.source == "push"
                self.metas += one.metas
            elif isinstance(one, LogMessage):
                self.notes.append(one.text)
        return self.metas

    def until(self, status: str) -> ResultMeta:
        """Wait until such an entry arrives."""
        return until(lambda: [meta for meta in self.take() if meta.status == status], what=status)[
            0
        ]


Listen = Callable[..., Listener]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """`listen(url, **settings)`: a listener that is ended after the test."""
    opened: list[Listener] = []

    def start(url: str, **settings: Any) -> Listener:
        opened.append(Listener(url, **settings))
        return opened[-1]

    yield start
    for one in opened:
        one.push.stop()
        one.push.join(2.0)
        assert not one.push.is_alive()


def client_of(server: RedisServer, url: str) -> Any:
    return server.client(int(url.rsplit("/", 1)[1]))


def test_receiving_sends_no_commands(
    redis_server: RedisServer, redis_url: str, listen: Listen
) -> None:
    listener = listen(redis_url)
    assert listener.push.live.wait(10)
    listener.open_tasks.mark_running("x")
    sent = listener.meter.sent
    client = client_of(redis_server, redis_url)
    for step in range(5):
        store(client, "x", "PROGRESS", {"current": step, "total": 5})
    store(client, "x", "SUCCESS", {"n": 5})
    assert listener.until("SUCCESS").result == {"n": 5}
    assert listener.meter.sent == sent


@pytest.mark.parametrize(("given", "used"), [("acme", "acme_"), ("a*[x]?:", "a*[x]?:")])
def test_key_prefix(
    redis_server: RedisServer, redis_url: str, listen: Listen, given: str, used: str
) -> None:
    options = {"global_keyprefix": given}
    listener = listen(redis_url, result_backend_transport_options=options)
    assert listener.push.live.wait(10)
    listener.open_tasks.mark_running("x")
    client = client_of(redis_server, redis_url)
    store(client, "x", "SUCCESS")  # without the prefix, so not ours
    store(client, "x", "FAILURE", prefix=used)
    listener.until("FAILURE")
    assert [meta.status for meta in listener.metas] == ["FAILURE"]


def test_messages_of_other_tasks_are_not_decoded(
    redis_server: RedisServer, redis_url: str, listen: Listen
) -> None:
    listener = listen(redis_url)
    assert listener.push.live.wait(10)
    listener.open_tasks.mark_running("x")
    client = client_of(redis_server, redis_url)
    for number in range(500):
        store(client, f"other{number}", "SUCCESS", "y" * 1000)
    store(client, "x", "SUCCESS")
    listener.until("SUCCESS")
    until(lambda: listener.push.received == 501)
    assert listener.push.decoded == 1


@pytest.mark.parametrize(("ahead", "collected"), [(0.0, 0.1), (0.25, 0.23), (30.0, 0.5)])
def test_messages_collect_until_just_before_the_next_frame(ahead: float, collected: float) -> None:
    now, waits = time.monotonic(), list[float]()
    push = ResultPush(Mock(), OpenTasks(), Inbox(10), next_frame_at=lambda: now + ahead)
    with (
        patch.object(push._stopping, "wait", waits.append),
        patch("time.monotonic", lambda: now + sum(waits)),
    ):
        push._collect()
    assert sum(waits) == pytest.approx(collected)


def test_frequent_reports_are_decoded_at_intervals(
    redis_server: RedisServer, redis_url: str, listen: Listen
) -> None:
    listener = listen(redis_url)
    assert listener.push.live.wait(10)
    listener.open_tasks.mark_running("x")
    client = client_of(redis_server, redis_url)
    began = time.monotonic()
    for step in range(2000):
        store(client, "x", "PROGRESS", {"current": step, "total": 2000})
    store(client, "x", "SUCCESS", "done")
    assert listener.until("SUCCESS").result == "done"
    windows = (time.monotonic() - began) / 0.05
    assert 1 < listener.push.decoded <= windows + 2
    assert listener.push.received == 2001


def test_a_large_result_is_not_decoded(
    redis_server: RedisServer, redis_url: str, listen: Listen
) -> None:
    listener = listen(redis_url)
    assert listener.push.live.wait(10)
    listener.open_tasks.mark_running("x")
    client = client_of(redis_server, redis_url)
    store(client, "other", "SUCCESS", "y" * (9 << 20))
    store(client, "x", "SUCCESS", "y" * (9 << 20))
    found = listener.until("SUCCESS")
    assert found.result is None and found.undecoded is not None
    assert found.undecoded.endswith("bytes, too large to decode")
    store(client, "x", "PROGRESS", {"current": 1})
    assert listener.until("PROGRESS").result == {"current": 1}


@pytest.mark.parametrize("how", ["cut", "killed"])
def test_a_lost_connection_is_replaced_and_running_tasks_are_read(
    redis_server: RedisServer, redis_url: str, listen: Listen, how: str
) -> None:
    client = client_of(redis_server, redis_url)
    proxy = TcpProxy(redis_server.port)
    listener = listen(redis_url.replace(str(redis_server.port), str(proxy.port)))
    assert listener.push.live.wait(10)
    listener.open_tasks.mark_running("x")
    listener.open_tasks.take_read_requests()
    if how == "cut":
        proxy.close()
        until(lambda: not listener.push.live.is_set())
        proxy.open()
    else:
        client.client_kill_filter(_type="pubsub")
    until(lambda: listener.open_tasks.take_read_requests() == ("x",))
    until(listener.push.live.is_set)
    store(client, "x", "SUCCESS")
    listener.until("SUCCESS")
    proxy.close()


def test_a_half_open_connection_is_replaced(
    redis_server: RedisServer, redis_url: str, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.cluster.results.push.PING_AFTER", 0.3)
    monkeypatch.setattr("celtop.cluster.connection.redis.channel.PING_TIMEOUT", 1.0)
    client = client_of(redis_server, redis_url)
    proxy = TcpProxy(redis_server.port)
    listener = listen(redis_url.replace(str(redis_server.port), str(proxy.port)))
    assert listener.push.live.wait(10)
    sent = listener.meter.sent
    time.sleep(1.0)
    assert listener.meter.sent == sent, "nothing runs: nothing is asked"
    listener.open_tasks.mark_running("x")
    until(lambda: listener.meter.sent > sent, what="a ping")
    assert listener.push.live.is_set()
    proxy.freeze()
    until(lambda: "x" in listener.open_tasks.take_read_requests(), what="it was connected again")
    store(client, "x", "SUCCESS")
    listener.until("SUCCESS")
    proxy.close()


def test_a_refused_subscription_is_logged(own_redis: RedisServer, listen: Listen) -> None:
    own_redis.client().execute_command(
        "ACL", "SETUSER", "reader", "on", ">pw", "~*", "resetchannels", "+@all"
    )
    listener = listen(own_redis.url(credentials="reader:pw@"))
    until(lambda: listener.take() or listener.notes)
    assert "refuses the subscription" in listener.notes[0] and "NOPERM" in listener.notes[0]
    time.sleep(0.6)
    listener.take()
    assert len(listener.notes) == 1 and not listener.push.live.is_set()


def test_messages_are_discarded_without_a_consumer(
    redis_server: RedisServer, redis_url: str, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.cluster.results.push.PAUSE_AFTER", 0.1)
    listener = listen(redis_url)
    assert listener.push.live.wait(10)
    listener.open_tasks.mark_running("x")
    listener.open_tasks.take_read_requests()
    until(lambda: listener.inbox.seconds_since_take() > 0.2)
    store(client_of(redis_server, redis_url), "x", "PROGRESS")
    until(lambda: listener.open_tasks.take_read_requests() == ("x",))
    assert len(listener.inbox) == 0 and listener.push.decoded == 0


def test_unknown_tasks_that_report_are_kept(
    redis_server: RedisServer, redis_url: str, listen: Listen
) -> None:
    listener = listen(redis_url)
    assert listener.push.live.wait(10)
    client = client_of(redis_server, redis_url)
    store(client, "ended")
    store(client, "reports", "PROGRESS", {"current": 1})
    until(lambda: listener.push.received == 2)
    assert list(listener.push.unknown) == ["reports"]


def test_tls(tmp_path: Path, listen: Listen) -> None:
    files = make_certificates(tmp_path)
    server = RedisServer(tmp_path, scheme="rediss")
    server.options = (
        "--port", "0", "--tls-port", str(server.port), "--tls-auth-clients", "no",
        "--tls-cert-file", files["cert"], "--tls-key-file", files["key"],
        "--tls-ca-cert-file", files["ca"],
    )  # fmt: skip
    server.start()
    try:
        listener = listen(f"{server.url(3)}?ssl_ca_certs={files['ca']}")
        assert listener.push.live.wait(10)
        listener.open_tasks.mark_running("x")
        client: Any = redis.Redis(unix_socket_path=str(server.socket_path), decode_responses=True)
        for step in range(200):
            store(client, "x", "PROGRESS", {"text": "y" * 10_000, "current": step})
        store(client, "x", "SUCCESS")
        listener.until("SUCCESS")
        assert listener.push.received == 201
    finally:
        server.kill()


def test_sentinel(own_redis: RedisServer, sentinel_port: int, listen: Listen) -> None:
    url = f"sentinel://127.0.0.1:{sentinel_port}/2"
    listener = listen(url, result_backend_transport_options={"master_name": "mymaster"})
    assert listener.push.live.wait(10)
    listener.open_tasks.mark_running("x")
    store(own_redis.client(2), "x")
    listener.until("SUCCESS")


class TestFrames:
    @staticmethod
    def message(frames: ResultFrames, id_: str, payload: bytes) -> bytes:
        parts = [b"pmessage", frames.pattern.encode(), f"meta-{id_}".encode(), payload]
        return b"*4\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 100_000, 10_000_000])
    def test_bytes_may_arrive_in_any_pieces(self, size: int) -> None:
        frames = ResultFrames("meta-", {"a", "größe", "large"})
        stream = b"".join(
            (
                b"*3\r\n$10\r\npsubscribe\r\n$6\r\nmeta-*\r\n:1\r\n",
                self.message(frames, "a", b'{"x": "\r\n*4\r\n"}'),
                self.message(frames, "b", b"y" * 700),
                b"*2\r\n$4\r\npong\r\n$0\r\n\r\n",
                self.message(frames, "größe", b""),
                self.message(frames, "large", b"z" * (MAX_PAYLOAD_BYTES + 1)),
                self.message(frames, "b", b"y" * (MAX_PAYLOAD_BYTES + 1)),
                b"-ERR no\r\n",
                self.message(frames, "a", b"last"),
            )
        )
        if size < 64:
            stream = stream.replace(b"z" * 1000, b"").replace(
                b"$262145", b"$%d" % (262145 - 262000)
            )
            stream = stream.replace(b"y" * 1000, b"")
        answers = []
        for start in range(0, len(stream), size):
            answers += frames.feed(stream[start : start + size])
        assert answers[0][0] == b"psubscribe" and answers[1][0] == b"pong"
        assert str(answers[2]) == "ERR no" and len(answers) == 3
        assert frames.received == 6
        assert frames.latest["a"] == Payload(b"last", 4)
        assert frames.latest["größe"] == Payload(b"", 0)
        assert set(frames.latest) == {"a", "größe", "large"}
        assert set(frames.unknown) == {"b"}
        assert frames.latest["large"].whole is (size < 64)


def test_stop_while_the_server_does_not_respond() -> None:
    with black_hole() as port:
        listener = Listener(f"redis://127.0.0.1:{port}/0")
        until(lambda: any(map(socket_of, list(listener.meter._open))))
        listener.push.stop()
        listener.meter.cut()
        listener.push.join(2.0)
        assert not listener.push.is_alive()


def test_known_ids_may_change_while_they_are_read() -> None:
    open_tasks = OpenTasks()
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            open_tasks.mark_running(str(number))
            open_tasks.mark_ended(str(number - 50))

    thread = threading.Thread(target=churn)
    thread.start()
    for _ in range(2000):
        assert len(open_tasks.running) <= 60
    stop.set()
    thread.join()
