"""Purging deletes the right messages, and no others."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from celtop.cluster.events.roster import Roster
from celtop.cluster.operations.queues import purge as purging
from celtop.cluster.operations.queues.purge import purge
from celtop.cluster.operations.running import Refused, Unsure
from celtop.model.operations.commands import Purge
from celtop.tests.cluster.operations.run_operation import OperationRun
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy
from celtop.tests.servers import RabbitServer, RedisServer, until

Send = Callable[..., str]


@pytest.fixture
def client(redis_server: RedisServer, redis_url: str) -> Any:
    """A plain client on the test's database."""
    return redis_server.client(int(redis_url.rsplit("/", 1)[1]))


def fill(client: Any, key: str, count: int, tasks: tuple[str, ...] = ("a", "b")) -> list[str]:
    """Put messages of several task names in turn, as kombu does; return them, the oldest first."""
    raws = [
        json.dumps(
            {
                "body": "W1tdLCB7fSwge31d",
                "headers": {"task": tasks[number % len(tasks)], "id": f"{key}-{number}"},
                "properties": {"delivery_tag": str(number), "body_encoding": "base64"},
            }
        )
        for number in range(count)
    ]
    for first in range(0, count, 1000):
        client.lpush(key, *raws[first : first + 1000])
    return raws


def test_a_whole_queue_with_all_its_priorities(redis_url: str, client: Any, send: Send) -> None:
    for priority in (0, 0, 3, 9):
        send(redis_url, "plain.ok", queue="q", priority=priority)
    kept = send(redis_url, "plain.ok", queue="other")
    outcome = OperationRun(redis_url, Purge(queue="q")).run(purge)
    assert outcome.count == 4
    assert outcome.targets["q"].verdict == "confirmed"
    assert [key for key in client.scan_iter() if key.startswith("q")] == []
    assert json.loads(client.lrange("other", 0, -1)[0])["headers"]["id"] == kept


def test_only_the_messages_of_some_tasks(redis_url: str, client: Any) -> None:
    raws = fill(client, "q", 1_000)
    ids = ("q-3", "q-998", "gone")
    outcome = OperationRun(redis_url, Purge(queue="q", ids=ids)).run(purge)
    assert outcome.count == 2
    left = client.lrange("q", 0, -1)
    assert left == [raw for raw in reversed(raws) if raw not in (raws[3], raws[998])]


def test_prefix_and_separator_are_the_apps(redis_url: str, client: Any, send: Send) -> None:
    options = {"global_keyprefix": "p:", "sep": "#"}
    conf = {"broker_transport_options": options}
    for priority in (0, 3):
        send(redis_url, "plain.ok", queue="q", priority=priority, conf=conf)
        send(redis_url, "plain.fail", queue="q", priority=priority, conf=conf)
    fill(client, "q", 3)
    by_name = Purge(queue="q", task="plain.fail")
    outcome = OperationRun(redis_url, by_name, broker_transport_options=options).run(purge)
    assert outcome.count == 2
    assert (client.llen("p:q"), client.llen("p:q#3"), client.llen("q")) == (1, 1, 3)
    outcome = OperationRun(redis_url, Purge(queue="q"), broker_transport_options=options).run(purge)
    assert outcome.count == 2
    assert (client.exists("p:q", "p:q#3"), client.llen("q")) == (0, 3)


def test_one_task_name_of_ten_thousand_leaves_the_others_in_order(
    redis_url: str, client: Any
) -> None:
    raws = fill(client, "q", 10_000)
    late = fill(client, "q\x06\x163", 10)
    client.rpush("q", "no json")
    operation_run = OperationRun(redis_url, Purge(queue="q", task="b"))
    outcome = operation_run.run(purge)
    assert outcome.count == 5_005
    assert outcome.targets["q"].verdict == "confirmed" and outcome.targets["q"].text == ""
    assert client.lrange("q", 0, -1)[::-1] == ["no json", *raws[::2]]
    assert client.lrange("q\x06\x163", 0, -1)[::-1] == late[::2]
    counts = [one.count or 0 for one in operation_run.outcomes]
    assert counts == sorted(counts) and len(set(counts)) > 10


def test_where_scripts_are_not_allowed(redis_url: str, client: Any) -> None:
    """Of a hundred thousand it takes half a minute instead of seconds, and is as exact."""
    raws = fill(client, "q", 3_000, ("a", "b", "c"))
    client.acl_setuser("plain", enabled=True, nopass=True, keys="*", channels="*", commands=[
        "+@all", "-@scripting",
    ])  # fmt: skip
    url = redis_url.replace("://", "://plain:x@")
    assert OperationRun(url, Purge(queue="q", task="c")).run(purge).count == 1_000
    assert client.lrange("q", 0, -1)[::-1] == [r for n, r in enumerate(raws) if n % 3 != 2]


def test_a_whole_queue_where_memory_is_short(own_redis: RedisServer) -> None:
    client = own_redis.client()
    fill(client, "q", 3)
    fill(client, "q\x06\x163", 2)
    client.config_set("maxmemory", 1)
    outcome = OperationRun(own_redis.url(), Purge(queue="q")).run(purge)
    assert (outcome.count, outcome.targets["q"].verdict) == (5, "confirmed")
    assert client.exists("q", "q\x06\x163") == 0


def test_where_memory_is_short(own_redis: RedisServer) -> None:
    """That is when people purge, and when Redis lets nothing be written."""
    client = own_redis.client()
    raws = fill(client, "q", 2_000)
    client.config_set("maxmemory", 1)
    assert OperationRun(own_redis.url(), Purge(queue="q", task="b")).run(purge).count == 1_000
    assert client.lrange("q", 0, -1)[::-1] == raws[::2]


def test_messages_that_workers_take_meanwhile_are_not_deleted(redis_url: str, client: Any) -> None:
    raws = fill(client, "q", 10_000)
    taken: list[str] = []
    begun = threading.Event()

    def take() -> None:
        begun.set()
        while (raw := client.rpop("q")) is not None:
            taken.append(raw)

    thread = threading.Thread(target=take)
    thread.start()
    begun.wait()
    outcome = OperationRun(redis_url, Purge(queue="q", task="b")).run(purge)
    thread.join()
    gone = set(raws) - set(taken)
    told = outcome.targets["q"].text
    assert told == "" or int(told.split()[2].replace(",", "")) <= 5_000 - len(gone)
    assert outcome.count == len(gone)
    assert all(json.loads(raw)["headers"]["task"] == "b" for raw in gone)
    assert gone, "the purge got nothing"


def test_it_can_be_cancelled_while_it_is_running(redis_url: str, client: Any) -> None:
    fill(client, "q", 2_000)
    operation_run = OperationRun(redis_url, Purge(queue="q", task="b"))
    operation_run.context._on_change = lambda outcome: (
        operation_run.context.cancelled.set() if outcome.count and outcome.count >= 300 else None
    )
    outcome = operation_run.run(purge)
    assert outcome.count is not None and 300 <= outcome.count < 1_000
    assert outcome.targets["q"].text == f"cancelled after {outcome.count} messages were deleted"
    assert client.llen("q") == 2_000 - outcome.count


@pytest.mark.parametrize("task", [None, "plain.ok"])
@pytest.mark.parametrize("name", ["unacked", "_kombu.binding.celery", "some-text"])
def test_other_keys_are_not_deleted(
    redis_url: str, client: Any, send: Send, name: str, task: str | None
) -> None:
    """kombu's own purge deletes whatever lies at the key: with `unacked`, what workers hold."""
    send(redis_url, "plain.ok")
    client.hset("unacked", "tag", "held")
    client.set("some-text", "x")
    with pytest.raises(Refused, match=f"{name} is not a queue but a Redis "):
        OperationRun(redis_url, Purge(queue=name, task=task)).run(purge)
    assert client.exists(name)


@pytest.mark.parametrize(
    "name", ["celeryev.1234", "w1@h.celery.pidbox", "7f.reply.celery.pidbox", ""]
)
def test_internal_queues_are_never_purged(redis_url: str, client: Any, name: str) -> None:
    client.lpush(name, "x")
    with pytest.raises(Refused, match="cannot be purged"):
        OperationRun(redis_url, Purge(queue=name)).run(purge)
    assert client.llen(name) == 1


def test_a_queue_that_does_not_exist_and_one_that_is_empty(redis_url: str) -> None:
    with pytest.raises(Refused, match="typo is empty, and no known worker consumes it"):
        OperationRun(redis_url, Purge(queue="typo")).run(purge)
    roster = Roster()
    roster.add_queue("empty")
    outcome = OperationRun(redis_url, Purge(queue="empty"), roster).run(purge)
    assert (outcome.count, outcome.targets["empty"].verdict) == (0, "confirmed")
    outcome = OperationRun(redis_url, Purge(queue="empty", task="t"), roster).run(purge)
    assert (outcome.count, outcome.targets["empty"].verdict) == (0, "confirmed")


@pytest.mark.parametrize("task", [None, "b"])
def test_a_broker_lost_meanwhile_leaves_the_queue_in_doubt(
    redis_server: RedisServer, redis_url: str, client: Any, task: str | None
) -> None:
    proxy = TcpProxy(redis_server.port)
    fill(client, "q", 1_000)
    url = redis_url.replace(f":{redis_server.port}", f":{proxy.port}")
    operation_run = OperationRun(url, Purge(queue="q", task=task))
    before = purging._check

    def break_then(*args: Any) -> None:
        before(*args)
        proxy.close()

    def break_later(outcome: Any) -> None:
        proxy.close()

    with pytest.MonkeyPatch.context() as patch:
        if task is None:
            patch.setattr(purging, "_check", break_then)
        operation_run.context._on_change = break_later
        with pytest.raises(Unsure):
            operation_run.run(purge)
    answer = operation_run.context.outcome.targets["q"]
    assert answer.verdict == "unsure"
    assert ("at least" in answer.text) == (task is not None)


class TestRabbitmq:
    def test_all_that_waits_and_nothing_that_is_held(
        self, amqp_url: str, rabbit_server: RabbitServer, start_worker: StartWorker, send: Send
    ) -> None:
        worker = start_worker(amqp_url, concurrency=1, conf={"worker_prefetch_multiplier": 1})
        running = send(amqp_url, "plain.slow", 2.0)
        until(lambda: f"[{running}] received" in worker.child.output)
        held = send(amqp_url, "plain.ok", 5)
        waiting = [send(amqp_url, "plain.ok", number) for number in range(20)]
        outcome = OperationRun(amqp_url, Purge(queue="celery")).run(purge)
        assert outcome.targets["celery"].verdict == "confirmed"
        assert outcome.count is not None and 19 <= outcome.count <= 21
        until(lambda: f"[{running}] succeeded" in worker.child.output)
        last = send(amqp_url, "plain.ok", 99)
        until(lambda: f"[{last}] succeeded" in worker.child.output)
        ran = [one for one in [held, *waiting] if f"[{one}] received" in worker.child.output]
        assert len(ran) == 21 - outcome.count

    def test_missing_queues_and_task_names_are_refused(self, amqp_url: str, send: Send) -> None:
        with pytest.raises(Refused, match="there is no queue missing"):
            OperationRun(amqp_url, Purge(queue="missing")).run(purge)
        send(amqp_url, "plain.ok", queue="q")
        with pytest.raises(Refused, match="cannot purge single messages: RabbitMQ"):
            OperationRun(amqp_url, Purge(queue="q", task="plain.ok")).run(purge)
        assert OperationRun(amqp_url, Purge(queue="q")).run(purge).count == 1
