"""Queue depths on Redis: what each measurement costs and returns."""

from __future__ import annotations

import time
from collections.abc import Callable

from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.polling.queues.redis_depths import NOT_COUNTED, RedisDepths
from celtop.model.observations import QueueGone, QueueHead, QueueMeasured, UnackedRead
from celtop.settings import Settings
from celtop.tests.servers import RedisServer

Send = Callable[..., str]


def test_an_idle_cluster_costs_one_command(redis_url: str) -> None:
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())
    names = frozenset({"a", "b", "c"})
    list(depths.measure(names))
    before = broker.meter.sent
    measured = list(depths.measure(names))
    assert [(one.name, one.waiting) for one in measured if isinstance(one, QueueMeasured)] == [
        ("a", 0),
        ("b", 0),
        ("c", 0),
    ]
    assert broker.meter.sent - before == 1


def test_only_lists_with_messages_are_counted_one_by_one(
    redis_server: RedisServer, redis_url: str
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    client.lpush("a", "x")
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())
    list(depths.measure(frozenset({"a", "b"})))
    client.lpush("a", "y")
    before = broker.meter.sent
    a, b = depths.measure(frozenset({"a", "b"}))
    assert isinstance(a, QueueMeasured) and isinstance(b, QueueMeasured)
    assert (a.waiting, b.waiting) == (2, 0)
    assert broker.meter.sent - before == 3


def test_the_next_message_of_each_list_is_read(
    redis_server: RedisServer, redis_url: str, send: Send
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    first = send(redis_url, "plain.ok", queue="a", timestamp=1_700_000_000)
    send(redis_url, "plain.ok", queue="a")
    urgent = send(redis_url, "plain.ok", queue="a", priority=6)
    client.lpush("odd", "no message")
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())
    measured = depths.measure(frozenset({"empty", "odd"}))
    assert {one.name: one.heads for one in measured if isinstance(one, QueueMeasured)} == {
        "a": (
            QueueHead(first, 1_700_000_000.0, "plain.ok"),
            QueueHead(urgent, name="plain.ok"),
        ),
        "odd": (QueueHead(),),
        "empty": (),
    }


def test_queues_are_found_among_many_other_keys(
    redis_server: RedisServer, redis_url: str, send: Send
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    client.mset({f"celery-task-meta-{n}": "x" for n in range(20_000)})
    send(redis_url, "plain.ok", queue="hidden")
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())
    found = {one.name for one in depths.measure(frozenset()) if isinstance(one, QueueMeasured)}
    assert "hidden" in found


def test_a_queue_that_is_no_longer_known(redis_url: str) -> None:
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())
    list(depths.measure(frozenset({"gone"})))
    started = time.time()
    (gone,) = (one for one in depths.measure(frozenset({"other"})) if isinstance(one, QueueGone))
    assert gone.name == "gone"
    assert started <= gone.at <= time.time()


def test_messages_of_steps_that_are_not_configured_are_counted(redis_url: str, send: Send) -> None:
    conf = {"broker_transport_options": {"priority_steps": list(range(10))}}
    for priority in (0, 5):
        send(redis_url, "plain.ok", queue="q", priority=priority, conf=conf)
    broker = BrokerConnection(Settings(broker_url=redis_url))
    seen, unacked = RedisDepths(broker.connect(), broker, set()).measure(frozenset())
    assert isinstance(seen, QueueMeasured) and seen.waiting == 2
    assert isinstance(unacked, UnackedRead) and not unacked.messages
    assert dict(seen.by_priority) == {"0": 1, "3": 0, "5": 1, "6": 0, "9": 0}
    assert seen.notes == ("priority 5 used, but not in priority_steps",)


def test_the_first_message_that_may_run_is_found_behind_those_with_an_eta(
    redis_server: RedisServer, redis_url: str, send: Send
) -> None:
    for countdown in (300, 200):
        send(redis_url, "plain.ok", queue="a", countdown=countdown)
    due = send(redis_url, "plain.ok", queue="a", countdown=-5)
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())

    def seen() -> QueueMeasured:
        one, *_ = depths.measure(frozenset({"a"}))
        assert isinstance(one, QueueMeasured)
        return one

    assert [head.id for head in seen().runnable or ()] == [due]
    assert seen().due_at is None
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    client.lpop("a")  # the one that is due
    one = seen()
    assert one.waiting == 2 and one.runnable == ()
    assert one.due_at is not None and 120 < one.due_at - time.time() < 201
    send(redis_url, "plain.ok", queue="a", priority=9, countdown=100)
    urgent = send(redis_url, "plain.ok", queue="a", priority=3)
    assert [head.id for head in seen().runnable or ()] == [urgent]


def test_a_budget_of_commands_is_kept_by_a_script(redis_url: str, send: Send) -> None:
    for number in range(30):
        send(redis_url, "plain.ok", queue=f"q{number}", timestamp=1_700_000_000)
    broker = BrokerConnection(Settings(broker_url=redis_url), budget=20)
    depths = RedisDepths(broker.connect(), broker, set())
    before = broker.meter.sent
    measured = [one for one in depths.measure(frozenset()) if isinstance(one, QueueMeasured)]
    assert [(one.name, one.waiting) for one in measured] == [
        (name, 1) for name in sorted(f"q{number}" for number in range(30))
    ]
    assert all(one.heads[0].sent_at == 1_700_000_000.0 for one in measured)
    assert broker.meter.sent - before <= 4  # SELECT, SCAN, SUNION, EVAL


def test_without_scripts_the_named_queues_are_counted_first(
    redis_server: RedisServer, redis_url: str, send: Send
) -> None:
    for number in range(30):
        send(redis_url, "plain.ok", queue=f"q{number:02}")
    client = redis_server.client(0)
    client.execute_command("ACL", "SETUSER", "nolua", "on", ">pw", "~*", "&*", "+@all", "-eval")
    try:
        url = redis_url.replace("redis://", "redis://nolua:pw@")
        broker = BrokerConnection(Settings(broker_url=url), budget=24)
        depths = RedisDepths(broker.connect(), broker, set())
        measured = depths.measure(frozenset({"empty", "q25"}))
        seen = {one.name: one for one in measured if isinstance(one, QueueMeasured)}
        assert (seen["q25"].waiting, seen["empty"].waiting) == (1, 0)
        unknown = [one for one in seen.values() if one.waiting is None]
        assert len(seen) == 31 and 20 < len(unknown) < 30
        assert {one.notes for one in unknown} == {(NOT_COUNTED,)}
        assert broker.meter.sent <= 17  # the others are for the end of the session
    finally:
        client.execute_command("ACL", "DELUSER", "nolua")
