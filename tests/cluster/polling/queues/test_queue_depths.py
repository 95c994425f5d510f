"""Queue depths as the broker counts them."""

from __future__ import annotations

import time
from collections.abc import Callable

from celtop.cluster.polling.queues.queue_depths import OtherDepths
from celtop.model.entities.queue import is_internal
from celtop.model.observations import QueueMeasured
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer

Send = Callable[..., str]


def depth(live: RunningSession, name: str) -> int | None:
    queue = live.state.queues.get(name)
    return None if queue is None else queue.waiting


def test_a_queue_without_consumers_is_found(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url)
    live = open_session(redis_url)
    live.until(lambda: "celery" in live.state.queues)
    for _ in range(7):
        send(redis_url, "plain.ok", queue="nobody")
    live.session.refresh()
    live.until(lambda: depth(live, "nobody") == 7)
    live.until(lambda: live.state.queues["nobody"].unattended)
    live.until(lambda: live.state.queues["celery"].consumers == ("w1@test",))
    assert live.state.queues["celery"].waiting == 0
    assert not any(is_internal(name) for name in live.state.queues)


def test_priorities_are_counted_by_step(
    redis_url: str, open_session: OpenSession, send: Send
) -> None:
    for priority in (0, 0, 3, 7):
        send(redis_url, "plain.ok", queue="urgent", priority=priority)
    live = open_session(redis_url)
    live.until(lambda: depth(live, "urgent") == 4)
    assert live.state.queues["urgent"].by_priority == {"0": 2, "3": 1, "6": 1, "9": 0}


def test_prefix_separator_and_steps_come_from_the_app(
    redis_url: str, open_session: OpenSession, send: Send
) -> None:
    options = {"global_keyprefix": "ac[m]e*:", "sep": "#", "priority_steps": [0, 5]}
    conf = {"broker_transport_options": options}
    for priority in (0, 5, 9):
        send(redis_url, "plain.ok", queue="q", priority=priority, conf=conf)
    live = open_session(redis_url, broker_transport_options=options)
    live.until(lambda: depth(live, "q") == 3)
    assert live.state.queues["q"].by_priority == {"0": 1, "5": 2}


def test_a_queue_named_only_in_the_settings(
    redis_server: RedisServer, redis_url: str, open_session: OpenSession
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    client.lpush("by-hand", "x", "y")
    live = open_session(redis_url, queues=["by-hand", "empty"])
    live.until(lambda: depth(live, "by-hand") == 2)
    assert depth(live, "empty") == 0


def test_an_uncountable_queue_is_unknown_with_the_reason(
    redis_server: RedisServer, redis_url: str, open_session: OpenSession
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    client.set("odd", "text")
    live = open_session(redis_url, queues=["odd"])
    live.until(lambda: "odd" in live.state.queues)
    assert depth(live, "odd") is None
    assert "WRONGTYPE" in live.state.queues["odd"].notes[0]


def test_unacknowledged_messages(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(redis_url, queues=["one"])
    task_id = send(redis_url, "plain.ok", countdown=300, queue="one")
    live = open_session(redis_url)
    live.until(lambda: f"[{task_id}] received" in worker.child.output)
    live.session.refresh()
    live.until(lambda: (q := live.state.queues.get("one")) is not None and q.unacked == 1)
    send(redis_url, "plain.ok", queue="two")
    live.session.refresh()
    live.until(lambda: depth(live, "two") == 1)
    assert live.state.queues["two"].unacked == 0
    (held,) = live.state.queues["one"].held
    assert (held.id, held.worker) == (task_id, worker.name)


def test_measuring_redelivers_nothing(
    redis_server: RedisServer, redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    """A task that waits for longer than kombu's default hour is the app's own business."""
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    start_worker(
        redis_url, queues=["other"], conf={"broker_transport_options": {"visibility_timeout": 1e6}}
    )
    message = '[{"body": "", "properties": {}, "headers": {}}, "", "celery"]'
    client.hset("unacked", "tag", message)
    client.zadd("unacked_index", {"tag": time.time() - 7200})
    live = open_session(redis_url, inspect_interval=1.0, queue_interval=0.5)
    live.session.watch(frozenset({"workers", "queues"}))

    def refresh() -> None:
        schedule = live.session._observers.polling.inspector._schedule
        before = schedule.round_at
        live.session.refresh()
        live.until(lambda: schedule.round_at > before)

    for _ in range(5):
        refresh()
    assert client.hexists("unacked", "tag")
    assert client.llen("celery") == 0


def test_tasks_of_a_queue_that_was_emptied_elsewhere_are_gone(
    redis_server: RedisServer,
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
) -> None:
    start_worker(redis_url)
    live = open_session(redis_url, queue_interval=0.5)
    live.session.watch(frozenset({"queues"}))
    live.until(lambda: "w1@test" in live.state.workers)
    conf = {"task_send_sent_event": True}
    lost = send(redis_url, "plain.ok", queue="orphan", conf=conf)
    live.until(lambda: depth(live, "orphan") == 1 and lost in live.state.tasks)
    live.until(lambda: live.state.queues["orphan"].oldest_age is not None)
    redis_server.client(int(redis_url.rsplit("/", 1)[1])).delete("orphan")
    done = send(redis_url, "plain.ok")
    live.until(lambda: done in live.state.tasks and live.state.tasks[done].finished)

    def gone() -> bool:
        live.state.tick(time.time())
        return live.state.tasks[lost].lost_at is not None

    live.until(gone, 30)
    assert (live.state.tasks[lost].state, live.state.tasks[lost].loss) == ("PENDING", "emptied")
    assert live.state.tasks[done].lost_at is None


def test_other_transports_are_counted_if_kombu_can() -> None:
    from kombu import Connection

    with Connection("memory://") as connection:
        queue = connection.SimpleQueue("jobs")
        queue.put("one")
        depths = OtherDepths(connection, "memory")
        jobs, none = depths.measure(frozenset({"jobs", "none"}))
        assert isinstance(jobs, QueueMeasured) and isinstance(none, QueueMeasured)
        assert jobs.waiting == 1
        assert none.waiting is None or none.waiting == 0
