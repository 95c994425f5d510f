"""Events of real workers, over Redis and RabbitMQ."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from celtop.model.entities.task import Task
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import CeleryWorker, RabbitServer, RedisServer

Send = Callable[..., str]


@pytest.fixture(params=["redis", "amqp"])
def broker_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


def in_state(live: RunningSession, task_id: str, state: str) -> Task:
    return live.until(
        lambda: (
            task
            if (task := live.state.tasks.get(task_id)) is not None and task.state == state
            else None
        ),
        what=f"task is {state}",
    )  # type: ignore[return-value]


def test_task_events_arrive_from_a_worker_started_without_them(
    broker_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    start_worker(broker_url, name="quiet", pool="solo")
    live = open_session(broker_url)
    worker = live.until(lambda: live.state.workers.get("quiet@test"))
    live.until(lambda: worker is not None and worker.events_enabled)
    task = in_state(live, send(broker_url, "plain.ok", 7), "SUCCESS")
    assert (task.name, task.worker, task.result) == ("plain.ok", "quiet@test", "7")
    failed = in_state(live, send(broker_url, "plain.fail", "gone"), "FAILURE")
    assert failed.exception == "ValueError('gone')"
    assert failed.traceback and "ValueError: gone" in failed.traceback


def test_events_are_enabled_on_a_worker_that_starts_later(
    broker_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    live = open_session(broker_url)
    live.until_live()
    start_worker(broker_url, name="late", queues=["late"])
    worker = live.until(lambda: live.state.workers.get("late@test"))
    assert worker is not None
    live.until(lambda: worker.events_enabled and worker.registered and worker.queues)
    in_state(live, send(broker_url, "plain.ok", queue="late"), "SUCCESS")


def test_events_stay_disabled_by_the_setting(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(redis_url, pool="solo")
    live = open_session(redis_url, events="never")
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.stats)
    task_id = send(redis_url, "plain.ok")
    live.until(lambda: f"plain.ok[{task_id}] succeeded" in worker.child.output)
    beats = live.state.totals.events
    live.until(lambda: live.state.totals.events > beats + 1)
    assert task_id not in live.state.tasks
    assert "enabled by remote" not in worker.child.output


def test_timestamps_are_not_shifted_by_the_workers_time_zone(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url, events=True, env={"TZ": "Asia/Tokyo"})
    live = open_session(redis_url)
    live.until(lambda: live.state.workers)
    task = in_state(live, send(redis_url, "plain.ok"), "SUCCESS")
    assert task.finished_at is not None
    assert abs(task.finished_at - time.time()) < 120


def test_progress_events_come_from_pool_processes(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url, pool="prefork", concurrency=1)
    live = open_session(redis_url)
    live.until(lambda: live.state.workers)
    task_id = send(redis_url, "plain.progress", 3)
    live.until(lambda: (t := live.state.tasks.get(task_id)) is not None and t.progress)
    assert in_state(live, task_id, "SUCCESS").worker == "w1@test"


def test_tasks_that_ran_before_the_start_are_found(
    broker_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(broker_url, concurrency=1)
    running = send(broker_url, "plain.slow", 30)
    reserved = send(broker_url, "plain.ok", 5)
    scheduled = send(broker_url, "plain.ok", countdown=300)
    live = open_session(broker_url)
    live.until(lambda: f"[{scheduled}] received" in worker.child.output)
    live.session.refresh()
    assert in_state(live, running, "STARTED").name == "plain.slow"
    assert in_state(live, reserved, "RECEIVED").args == "(5,)"
    assert in_state(live, scheduled, "RECEIVED").eta_at is not None


def test_malformed_and_foreign_messages_are_counted(
    redis_server: RedisServer, redis_url: str, open_session: OpenSession
) -> None:
    live = open_session(redis_url)
    live.until_live()
    client = redis_server.client()
    database = redis_url.rsplit("/", 1)[1]
    for text in ("", "no JSON", "[]", '{"body": 3}', '{"body": "@", "properties": {}}', "{}"):
        client.publish(f"/{database}.celeryev/worker.heartbeat", text)
    live.until(lambda: live.state.totals.malformed >= 6)
    assert live.session.threads[0].is_alive()
    assert live.state.broker.phase == "live"


def test_a_pickled_event_is_reported_and_never_loaded(
    redis_url: str, open_session: OpenSession
) -> None:
    from kombu import Connection, Exchange, Producer

    live = open_session(redis_url)
    live.until_live()
    with Connection(redis_url) as connection:
        Producer(connection, exchange=Exchange("celeryev", type="fanout")).publish(
            {"type": "task-sent"}, routing_key="task.sent", serializer="pickle"
        )
    live.until(lambda: live.state.totals.malformed)
    assert any("python-serialize" in why for why in live.state.totals.malformed_reasons)


def test_only_the_workers_options_receive_events(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    options = {"global_keyprefix": "acme:", "fanout_prefix": "/x.", "fanout_patterns": False}
    conf = {"broker_transport_options": options}
    start_worker(redis_url, conf=conf)
    live = open_session(redis_url, broker_transport_options=options)
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.events_enabled)
    in_state(live, send(redis_url, "plain.ok", conf=conf), "SUCCESS")


def test_the_environment_does_not_replace_the_url(
    redis_server: RedisServer,
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", redis_server.next_url())
    monkeypatch.setenv("CELERY_BROKER_READ_URL", redis_server.next_url())
    start_worker(redis_url)
    live = open_session(redis_url)
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.stats)


def test_a_killed_worker_is_lost_without_heartbeats(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    worker: CeleryWorker = start_worker(redis_url)
    live = open_session(redis_url)
    seen = live.until(lambda: live.state.workers.get("w1@test"))
    assert seen is not None
    # The heartbeat requested on connecting says "every 5 s", regardless of the worker's interval.
    live.until(lambda: seen.frequency == 2.0)
    worker.child.kill()

    def late() -> bool:
        return seen.status(live.state.broker.listening(time.time())) == "late"

    live.until(late)


def test_our_queues_are_gone_from_rabbitmq_after_stop(
    rabbit_server: RabbitServer, amqp_url: str, open_session: OpenSession
) -> None:
    live = open_session(amqp_url)
    live.until_live()
    live.until(lambda: any("celeryev" in name for name in rabbit_server.queue_names(amqp_url)))
    live.session.stop()
    live.until(lambda: rabbit_server.queue_names(amqp_url) == [])


def test_nothing_of_ours_is_left_in_redis_after_stop(
    redis_server: RedisServer, redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    start_worker(redis_url)
    database = int(redis_url.rsplit("/", 1)[1])
    client = redis_server.client(database)

    def members() -> set[str]:
        return {
            member
            for key in client.scan_iter("_kombu.binding.*")
            for member in client.smembers(key)
        }

    before = members()
    live = open_session(redis_url)
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.conf)
    live.session.stop()
    assert members() == before
