"""A session follows tasks: published changes, polling, and the history at startup."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celtop.model.entities.task import Progress
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.cluster.results.backends.test_redis import store
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy
from celtop.tests.servers import RedisServer, until

Send = Callable[..., str]
Start = Callable[..., Any]


def progress_of(live: RunningSession, id_: str) -> Callable[[], Progress | None]:
    def progress() -> Progress | None:
        task = live.state.tasks.get(id_)
        progress = None if task is None else task.progress
        return progress if progress is not None and progress.source == "backend" else None

    return progress


def counted(redis_server: RedisServer, *commands: str) -> int:
    """Return how often the server has carried these out."""
    stats = redis_server.client().info("commandstats")
    return sum(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"] for command in commands)


def fill(client: Any, results: int) -> None:
    """Keep results of tasks that ended one after the other, the last of them just now."""
    with client.pipeline(transaction=False) as pipe:
        for number in range(results):
            meta = {"status": "SUCCESS", "result": number, "date_done": None}
            left = 86_400_000 - 1000 * (results - number)
            pipe.set(f"celery-task-meta-old{number}", json.dumps(meta), px=left)
        pipe.execute()


@pytest.fixture
def start_moving(start_worker: StartWorker) -> Start:
    """`start_moving(broker_url, backend_url, ...)`: a worker whose tasks report progress."""

    def start(broker_url: str, backend_url: str, **options: Any) -> Any:
        conf = {"result_backend": backend_url, **options.pop("conf", {})}
        options = {"concurrency": 4, "events": True, **options}
        return start_worker(broker_url, app="moving", conf=conf, **options)

    return start


class TestRedis:
    @pytest.mark.parametrize("options", [{}, {"global_keyprefix": "acme"}])
    def test_another_database_from_the_workers_configuration(
        self,
        redis_server: RedisServer,
        redis_url: str,
        start_moving: Start,
        open_session: OpenSession,
        send: Send,
        options: dict[str, str],
    ) -> None:
        backend = redis_server.next_url()
        start_moving(redis_url, backend, conf={"result_backend_transport_options": options})
        live = open_session(redis_url, result_backend_transport_options=options)
        live.until(lambda: live.session._observers.follower.push.live.is_set())
        id_ = send(redis_url, "moving.move", 50, 0.05)
        live.session.watch_results([id_])
        progress = live.until(progress_of(live, id_))
        assert progress is not None and (progress.text or "").startswith("step")
        push = live.session._observers.follower.push
        live.until(lambda: push.decoded > 5)
        assert live.state.tasks[id_].name == "moving.move"
        live.until(lambda: live.state.tasks[id_].state == "SUCCESS")
        live.until(lambda: not live.session._observers.follower._open_tasks.running)

    def test_a_task_that_was_running_before(
        self,
        redis_url: str,
        start_moving: Start,
        open_session: OpenSession,
        send: Send,
    ) -> None:
        start_moving(redis_url, redis_url)
        before = send(redis_url, "moving.move", 1, 60)
        probe = open_session(redis_url, result_backend=redis_url)
        probe.until(progress_of(probe, before))
        probe.session.stop()
        live = open_session(redis_url)
        live.until(progress_of(live, before))

    def test_a_pool_that_sends_no_events_while_it_works(
        self,
        redis_server: RedisServer,
        redis_url: str,
        start_moving: Start,
        open_session: OpenSession,
        send: Send,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("celtop.cluster.results.poller.CHECK_INTERVAL", 0.5)
        start_moving(redis_url, redis_url, pool="solo")
        live = open_session(redis_url, result_backend=redis_url)
        live.until(lambda: live.session._observers.follower.push.live.is_set())
        elsewhere = redis_server.client(int(redis_server.next_url().rsplit("/", 1)[1]))
        id_ = send(redis_url, "moving.move", 200, 0.1)
        # Of another project, whose channels are the same.
        store(elsewhere, "theirs", "PROGRESS", {"current": 1})
        live.until(progress_of(live, id_))
        store(elsewhere, "theirs", "PROGRESS", {"current": 2})
        live.until(lambda: "theirs" in live.session._observers.follower.poller._not_ours)
        assert "theirs" not in live.state.tasks

    def test_a_missed_final_event(
        self,
        redis_server: RedisServer,
        redis_url: str,
        open_session: OpenSession,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Nor a push: it is found by asking again."""
        monkeypatch.setattr("celtop.cluster.results.poller.CHECK_INTERVAL", 0.5)
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        live = open_session(redis_url, result_backend=redis_url)
        live.until(lambda: live.session._observers.follower.push.live.is_set())
        live.session._observers.follower._open_tasks.mark_running("x")
        meta = {"status": "SUCCESS", "result": 1, "date_done": "2026-11-21T10:00:00+00:00"}
        client.set("celery-task-meta-x", json.dumps(meta))
        live.until(lambda: "x" in live.state.tasks)
        live.until(lambda: live.state.tasks["x"].state == "SUCCESS")

    def test_one_command_reads_200_tasks(
        self,
        redis_server: RedisServer,
        redis_url: str,
        open_session: OpenSession,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("celtop.cluster.results.poller.CHECK_INTERVAL", 2.0)
        live = open_session(redis_url, result_backend=redis_url, load_results=0)
        live.until(lambda: live.session._observers.follower.push.live.is_set())
        live.until_live()
        before = counted(redis_server, "mget", "get")
        open_tasks = live.session._observers.follower._open_tasks
        for number in range(200):
            open_tasks.mark_running(f"run{number}")
        poller = live.session._observers.follower.poller
        live.until(lambda: poller._checked_at)
        checked = poller._checked_at
        live.until(lambda: poller._checked_at > checked)
        live.until(lambda: counted(redis_server, "mget", "get") > before)
        assert counted(redis_server, "mget", "get") - before <= 2

    def test_a_user_without_channels_is_polled(
        self, own_redis: RedisServer, open_session: OpenSession
    ) -> None:
        client = own_redis.client()
        client.execute_command(
            "ACL", "SETUSER", "reader", "on", ">pw", "~*", "resetchannels", "+@all"
        )
        live = open_session(own_redis.url(), result_backend=own_redis.url(credentials="reader:pw@"))
        live.until(lambda: any("refuses the subscription" in text for text in live.log))
        store(client, "x", "PROGRESS", {"current": 1, "total": 4})
        live.session.watch_results(["x"])
        live.until(progress_of(live, "x"))
        store(client, "x", "PROGRESS", {"current": 2, "total": 4})
        live.until(lambda: live.state.tasks["x"].progress.current == 2)  # type: ignore[union-attr]


def test_a_broker_of_another_kind(
    redis_server: RedisServer,
    redis_url: str,
    amqp_url: str,
    start_moving: Start,
    open_session: OpenSession,
    send: Send,
) -> None:
    start_moving(amqp_url, redis_url)
    live = open_session(amqp_url)
    live.until(lambda: live.session._observers.follower.push.live.is_set())
    id_ = send(amqp_url, "moving.move", 100, 0.1)
    live.until(progress_of(live, id_))
    live.session.stop()
    assert not [one.name for one in live.session.threads if one.is_alive()]


class TestPolling:
    def test_a_database(
        self,
        tmp_path: Path,
        redis_url: str,
        start_moving: Start,
        open_session: OpenSession,
        send: Send,
    ) -> None:
        backend = f"db+sqlite:///{tmp_path}/results.sqlite3"
        start_moving(redis_url, backend)
        live = open_session(redis_url)
        live.until(lambda: "w1@test" in live.state.workers)
        id_ = send(redis_url, "moving.move", 100, 0.1)
        live.session.watch_results([id_])
        first = live.until(progress_of(live, id_))
        live.until(lambda: live.state.tasks[id_].progress.fraction > first.fraction)  # type: ignore[union-attr,operator]
        poller = live.session._observers.follower.poller
        live.until(lambda: poller._pause == 0.25, what="it reads faster while something moves")
        assert live.session.progress_unavailable is None

    def test_nothing_is_read_when_nothing_is_watched(
        self, tmp_path: Path, redis_url: str, open_session: OpenSession
    ) -> None:
        (tmp_path / "kept").mkdir()
        live = open_session(redis_url, result_backend=f"file://{tmp_path}/kept")
        live.until_live()
        poller = live.session._observers.follower.poller
        looked = poller._looked_at
        live.until(lambda: poller._checked_at)
        assert poller._looked_at == looked

    def test_an_unreadable_backend(
        self, redis_url: str, start_moving: Start, open_session: OpenSession
    ) -> None:
        start_moving(redis_url, "rpc://")
        live = open_session(redis_url)
        live.until(lambda: any("rpc://" in text for text in live.log))
        assert "rpc://" in (live.session.progress_unavailable or "")
        assert len([text for text in live.log if "rpc://" in text]) == 1


class TestHistory:
    def test_tasks_that_ended_before(
        self,
        tmp_path: Path,
        redis_url: str,
        start_moving: Start,
        open_session: OpenSession,
        send: Send,
    ) -> None:
        worker = start_moving(redis_url, redis_url)
        ids = {send(redis_url, "moving.add", number, 1) for number in range(10)}
        until(lambda: worker.child.output.count("succeeded") == 10)
        live = open_session(redis_url)
        live.until(lambda: ids <= set(live.state.tasks), timeout=5)
        live.until(lambda: all(live.state.tasks[id_].state == "SUCCESS" for id_ in ids))

    def test_the_newest_of_many_in_few_commands(
        self, redis_server: RedisServer, redis_url: str, open_session: OpenSession
    ) -> None:
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        fill(client, 5_000)
        read = ("scan", "mget", "get", "eval", "keys")
        before, keys = counted(redis_server, *read), counted(redis_server, "keys")
        live = open_session(redis_url, result_backend=redis_url)
        live.until(lambda: len(live.state.tasks) >= 500)
        assert "old4999" in live.state.tasks and "old4500" in live.state.tasks
        assert len(live.state.tasks) == 500
        # For 500 keys a SCAN and a script, for 100 results a script and an MGET.
        assert counted(redis_server, *read) - before <= 50
        assert counted(redis_server, "keys") == keys
        assert live.session._broker.meter.sent < 150

    def test_no_history_is_read_if_disabled(
        self, redis_server: RedisServer, redis_url: str, open_session: OpenSession
    ) -> None:
        fill(redis_server.client(int(redis_url.rsplit("/", 1)[1])), 10)
        live = open_session(redis_url, result_backend=redis_url, load_results=0)
        live.until(lambda: live.state.broker.latency)
        live.until(lambda: live.session._observers.follower.poller._checked_at)
        assert not live.state.tasks

    def test_waiting_messages_are_read(
        self, redis_url: str, open_session: OpenSession, send: Send
    ) -> None:
        ids = {send(redis_url, "moving.add", number, 1, queue="slow") for number in range(20)}
        live = open_session(redis_url)
        live.until(lambda: ids <= set(live.state.tasks))
        assert all(live.state.tasks[id_].queue == "slow" for id_ in ids)

    def test_frugal_mode_reads_no_history(
        self, redis_server: RedisServer, redis_url: str, open_session: OpenSession, send: Send
    ) -> None:
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        fill(client, 10)
        send(redis_url, "moving.add", 1, 1, queue="slow")
        live = open_session(redis_url, result_backend=redis_url, frugal=True)
        live.until(lambda: live.state.queues.get("slow") and live.state.queues["slow"].waiting)
        live.until(lambda: live.session._observers.follower.push.live.is_set())
        assert not live.state.tasks


class TestTruth:
    def test_a_worker_that_does_not_have_its_running_task(
        self,
        redis_url: str,
        start_moving: Start,
        open_session: OpenSession,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("celtop.cluster.results.poller.CHECK_INTERVAL", 0.5)
        monkeypatch.setattr("celtop.model.ingest.tasks.reconciler.RECENT_SECONDS", 1.0)
        monkeypatch.setattr("celtop.model.ingest.tasks.reconciler.START_TRUSTED_SECONDS", 1.0)
        start_moving(redis_url, redis_url)
        live = open_session(redis_url)
        live.until(lambda: live.session._observers.follower.push.live.is_set())
        live.until(lambda: "w1@test" in live.state.workers)
        started = Event("task-started", "w1@test", time.time(), uuid="gone", name="moving.move")
        live.session._inbox.put(EventBatch((started,), time.time()))
        live.until(lambda: "gone" in live.state.tasks)
        assert live.state.tasks["gone"].running

        def lost() -> bool:
            live.state.tick(time.time())
            return live.state.tasks["gone"].lost_at is not None

        live.until(lost)

    def test_a_task_finished_during_a_disconnection_is_found(
        self,
        redis_server: RedisServer,
        redis_url: str,
        start_moving: Start,
        open_session: OpenSession,
        send: Send,
    ) -> None:
        proxy = TcpProxy(redis_server.port)
        start_moving(redis_url, redis_url)
        # Events and results both go through it.
        live = open_session(
            redis_url.replace(str(redis_server.port), str(proxy.port)),
            result_backend=redis_url.replace(str(redis_server.port), str(proxy.port)),
        )
        live.until(lambda: live.session._observers.follower.push.live.is_set())
        live.until(lambda: "w1@test" in live.state.workers)
        id_ = send(redis_url, "moving.move", 20, 0.1)
        live.until(progress_of(live, id_))
        proxy.close()
        live.until(lambda: live.state.broker.phase == "lost")
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        until(lambda: '"SUCCESS"' in (client.get(f"celery-task-meta-{id_}") or ""))
        assert live.state.tasks[id_].state != "SUCCESS"
        proxy.open()
        live.until(lambda: live.state.tasks[id_].state == "SUCCESS")
        proxy.close()

    def test_a_lookup_updates_the_model(
        self, redis_server: RedisServer, redis_url: str, open_session: OpenSession
    ) -> None:
        store(redis_server.client(int(redis_url.rsplit("/", 1)[1])), "x", result=7)
        live = open_session(redis_url, result_backend=redis_url, load_results=0)
        found = live.session.lookups.result("x").result(10)
        assert found is not None and found.result == 7
        live.until(lambda: "x" in live.state.tasks)
        assert live.state.tasks["x"].state == "SUCCESS"
