"""Brokers that die and come back, and networks that drop messages."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from celtop.model.ingest.queues import emptied_queues
from celtop.model.ingest.tasks.lost_tasks import loss_text
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy
from celtop.tests.servers import CeleryWorker, RabbitServer, RedisServer

Send = Callable[..., str]


def knows_worker(live: RunningSession, name: str = "w1@test") -> Callable[[], object]:
    return lambda: (w := live.state.workers.get(name)) is not None and w.events_enabled and w.stats


def test_a_broker_that_is_down_at_first(
    own_redis: RedisServer, open_session: OpenSession, start_worker: StartWorker
) -> None:
    own_redis.kill()
    live = open_session(own_redis.url())
    live.until_fault("refused")
    assert live.state.broker.retry_at is not None
    own_redis.start()
    live.until_live()
    assert live.state.broker.fault is None
    start_worker(own_redis.url())
    live.until(knows_worker(live))


def test_a_refresh_connects_at_once(
    own_redis: RedisServer, open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.cluster.events.receiver.FIRST_RETRY_DELAY", 600.0)
    monkeypatch.setattr("celtop.cluster.events.receiver.MAX_RETRY_DELAY", 600.0)
    own_redis.kill()
    live = open_session(own_redis.url())
    live.until_fault("refused")
    own_redis.start()
    live.session.refresh()
    live.until_live()


def test_a_broker_that_is_killed_and_comes_back(
    own_redis: RedisServer, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker: CeleryWorker = start_worker(own_redis.url())
    live = open_session(own_redis.url())
    live.until(knows_worker(live))
    own_redis.kill()
    live.until(lambda: live.state.broker.phase == "lost")
    own_redis.start()
    live.until_live(40)
    live.until(lambda: worker.child.output.count("Connected to redis://") >= 2, 40)
    assert any("connection lost" in line for line in live.log), live.log
    task_id = send(own_redis.url(), "plain.ok")

    def succeeded() -> bool:
        task = live.state.tasks.get(task_id)
        return task is not None and task.state == "SUCCESS"

    live.until(succeeded)
    assert all(thread.is_alive() for thread in live.session.threads)


def test_a_task_started_during_a_disconnection_is_found(
    own_redis: RedisServer, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    proxy = TcpProxy(own_redis.port)
    worker: CeleryWorker = start_worker(own_redis.url())
    live = open_session(f"redis://127.0.0.1:{proxy.port}/0")
    live.until(knows_worker(live))
    proxy.close()
    live.until(lambda: live.state.broker.phase == "lost")
    task_id = send(own_redis.url(), "plain.slow", 60)
    live.until(lambda: f"plain.slow[{task_id}] received" in worker.child.output)
    proxy.open()
    live.until_live()

    def running() -> bool:
        task = live.state.tasks.get(task_id)
        return task is not None and task.state == "STARTED" and task.name == "plain.slow"

    live.until(running)


@pytest.mark.parametrize("kind", ["redis", "amqp"])
def test_a_half_open_connection_is_noticed_and_makes_no_worker_late(
    kind: str,
    request: pytest.FixtureRequest,
    open_session: OpenSession,
    start_worker: StartWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The real intervals would take half a minute.
    monkeypatch.setattr("celtop.cluster.events.receiver.PING_AFTER", 2.0)
    monkeypatch.setattr("celtop.cluster.events.receiver.HEARTBEAT_INTERVAL", 2.0)
    server: RedisServer | RabbitServer = request.getfixturevalue(
        "redis_server" if kind == "redis" else "rabbit_server"
    )
    url: str = request.getfixturevalue(f"{kind}_url")
    # It is late after 3 seconds without a heartbeat.
    start_worker(url, options=("--heartbeat-interval", "1"))
    proxy = TcpProxy(server.port)
    live = open_session(url.replace(f":{server.port}/", f":{proxy.port}/"))
    live.until(knows_worker(live))
    frozen_at = time.time()
    proxy.freeze()

    def lost() -> bool:
        live.state.tick(time.time())
        return live.state.broker.phase == "lost"

    live.until(lost, 30)
    live.until_live()
    assert not any(text.startswith(("w1@test is late", "w1@test lost")) for text in live.log)
    # The gap is the whole silence.
    lost_at = live.state.broker.lost_at
    assert lost_at is not None and lost_at < frozen_at + 1.0
    assert all(thread.is_alive() for thread in live.session.threads)
    live.session.stop()
    proxy.close()


def test_reconnects_when_workers_reply_but_their_events_do_not_arrive(
    redis_server: RedisServer,
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("celtop.cluster.polling.workers.event_silence.MAX_EVENT_SILENCE", 1.0)
    start_worker(redis_url)
    live = open_session(redis_url)
    live.until(knows_worker(live))
    seen = live.state.workers["w1@test"]
    live.until(lambda: seen.frequency == 2.0)
    # The subscription is dead but the connection works: no ping would show it.
    monkeypatch.setattr(
        "celtop.cluster.events.redis_subscription.EventFrames._message", lambda *_: 0
    )
    live.until(lambda: live.state.broker.phase == "lost", 40)
    monkeypatch.undo()
    live.until_live()
    beats = live.state.totals.events
    live.until(lambda: live.state.totals.events > beats + 1)


@pytest.mark.parametrize("kind", ["redis", "amqp"])
def test_a_broker_that_does_not_respond_does_not_delay_stop(
    kind: str, request: pytest.FixtureRequest, open_session: OpenSession
) -> None:
    server: RedisServer | RabbitServer = request.getfixturevalue(
        "redis_server" if kind == "redis" else "rabbit_server"
    )
    url: str = request.getfixturevalue(f"{kind}_url")
    proxy = TcpProxy(server.port)
    live = open_session(url.replace(f":{server.port}/", f":{proxy.port}/"))
    live.until_live()
    live.until(lambda: live.state.broker.latency)
    proxy.freeze()
    live.session.refresh()
    live.session.stop()
    # Sooner than any timeout of a socket: they were cut.
    live.until(lambda: not any(thread.is_alive() for thread in live.session.threads), 3.0)
    proxy.close()


@pytest.mark.parametrize("kind", ["redis", "amqp"])
def test_a_slow_link_costs_few_round_trips_and_is_not_taken_for_silence(
    kind: str, request: pytest.FixtureRequest, open_session: OpenSession, start_worker: StartWorker
) -> None:
    server: RedisServer | RabbitServer = request.getfixturevalue(
        "redis_server" if kind == "redis" else "rabbit_server"
    )
    url: str = request.getfixturevalue(f"{kind}_url")
    start_worker(url)
    # kombu's reply takes more than a second and a half over this link.
    proxy = TcpProxy(server.port, round_trip=0.4)
    live = open_session(url.replace(f":{server.port}/", f":{proxy.port}/"))
    live.until_live()
    # Five until it is live; the next request follows at once.
    assert proxy.exchanges <= 6
    live.until(knows_worker(live), 40)
    assert live.session.round_trip >= 0.4
    live.session.stop()
    proxy.close()


def test_a_queue_that_a_broker_lost_while_it_was_not_connected_is_gone(
    own_redis: RedisServer, open_session: OpenSession, send: Send
) -> None:
    send(own_redis.url(), "plain.ok", queue="orphan")
    live = open_session(own_redis.url(), queue_interval=0.5)
    live.session.watch(frozenset({"queues"}))
    live.until(lambda: "orphan" in live.state.queues)
    own_redis.kill()
    live.until(lambda: live.state.broker.phase == "lost")
    assert "orphan" in live.state.queues
    own_redis.start()
    live.until_live(40)
    live.until(lambda: "orphan" not in live.state.queues)


@pytest.mark.parametrize("sent_event", [True, False])
def test_a_task_of_a_broker_that_lost_its_data_no_longer_waits(
    own_redis: RedisServer,
    open_session: OpenSession,
    send: Send,
    monkeypatch: pytest.MonkeyPatch,
    sent_event: bool,
) -> None:
    monkeypatch.setattr(emptied_queues, "NO_ENTRY_SECONDS", 4.0)
    live = open_session(own_redis.url(), queue_interval=0.5)
    live.session.watch(frozenset({"queues"}))
    live.until_live()
    conf = {"task_send_sent_event": sent_event}
    id_ = send(own_redis.url(), "plain.ok", queue="orphan", conf=conf)
    live.until(lambda: "orphan" in live.state.queues)
    live.session.lookups.peek("orphan", 20).result(10)
    live.until(lambda: id_ in live.state.tasks)
    own_redis.kill()
    live.until(lambda: live.state.broker.phase == "lost")
    own_redis.start()
    live.until_live(40)

    def lost() -> bool:
        live.state.tick(time.time())
        return live.state.tasks[id_].lost_at is not None

    live.until(lost, 30)
    assert "no longer in the queue" in loss_text(live.state.tasks[id_])
