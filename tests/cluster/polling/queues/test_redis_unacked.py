"""Unacknowledged messages on Redis: counted by queue, as a kombu consumer has left them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.polling.queues import redis_unacked
from celtop.cluster.polling.queues.redis_depths import RedisDepths
from celtop.model.observations import QueueMeasured, UnackedMessage, UnackedRead
from celtop.settings import Settings
from celtop.tests.servers import RedisServer

Send = Callable[..., str]


@contextmanager
def consumed(url: str, *queues: str, options: dict[str, Any] | None = None) -> Iterator[list[Any]]:
    """Receive all messages of some queues without acknowledging them, as a worker does."""
    from kombu import Connection

    with Connection(url, transport_options=options or {}) as connection:
        channel = connection.default_channel
        messages: list[Any] = []
        for queue in queues:
            while (message := channel.basic_get(queue)) is not None:
                messages.append(message)
        yield messages
        # A consumer that ends returns its messages; one that is killed does not.
        channel.qos._delivered.clear()


def measured(depths: RedisDepths) -> tuple[dict[str, QueueMeasured], UnackedRead | None]:
    queues: dict[str, QueueMeasured] = {}
    held = None
    for one in depths.measure(frozenset({"a", "b"})):
        if isinstance(one, QueueMeasured):
            queues[one.name] = one
        elif isinstance(one, UnackedRead):
            held = one
    return queues, held


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"global_keyprefix": "shop:", "sep": "|", "priority_steps": [0, 3, 9]},
        {"unacked_key": "taken", "unacked_index_key": "taken_at"},
    ],
)
def test_each_queue_has_its_share(
    redis_server: RedisServer, redis_url: str, send: Send, options: dict[str, Any]
) -> None:
    conf = {"broker_transport_options": options}
    ids = {send(redis_url, "plain.ok", queue="a", priority=step, conf=conf) for step in (0, 3, 9)}
    started = time.time()
    with consumed(redis_url, "a", options=options) as taken:
        assert len(taken) == 3
        for queue, step in (("a", 3), ("a", 9), ("a", 9), ("b", 0)):
            send(redis_url, "plain.ok", queue=queue, priority=step)
        broker = BrokerConnection(Settings(broker_url=redis_url, broker_transport_options=options))
        queues, held = measured(RedisDepths(broker.connect(), broker, set()))
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        prefix, sep = options.get("global_keyprefix", ""), options.get("sep", "\x06\x16")
        assert client.llen(f"{prefix}a{sep}9") == 2
        assert client.hlen(prefix + options.get("unacked_key", "unacked")) == 3
    assert {name: (one.waiting, one.unacked) for name, one in queues.items()} == {
        "a": (3, 3),
        "b": (1, 0),
    }
    assert {step: n for step, n in queues["a"].by_priority if n} == {"3": 1, "9": 2}
    assert queues["a"].notes == ()
    assert held is not None and held.total == 3
    assert {one.id for one in held.messages} == ids
    assert {one.queue for one in held.messages} == {"a"}
    assert all(started <= one.taken_at <= time.time() for one in held.messages)


def test_messages_are_read_once_and_forgotten_when_acknowledged(redis_url: str, send: Send) -> None:
    for queue in ("a", "b"):
        send(redis_url, "plain.ok", queue=queue, countdown=3600)
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())
    with consumed(redis_url, "a", "b") as taken:
        queues, held = measured(depths)
        assert held is not None and [one.name for one in held.messages] == ["plain.ok"] * 2
        assert all((one.eta_at or 0) > time.time() + 3500 for one in held.messages)
        before = broker.meter.sent
        queues, again = measured(depths)
        assert again is not None and again.messages == held.messages
        assert broker.meter.sent - before == 3  # EXISTS, HLEN and ZRANGE
        for message in taken:
            message.ack()
        queues, none = measured(depths)
    assert (queues["a"].unacked, queues["b"].unacked) == (0, 0)
    assert none is not None and (none.messages, none.total) == ((), 0)
    assert measured(depths)[1] is None


def test_a_new_connection_finds_that_none_are_left(redis_url: str) -> None:
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())
    _, held = measured(depths)
    assert held is not None and (held.messages, held.total) == ((), 0)
    assert measured(depths)[1] is None


def test_of_too_many_only_the_oldest_are_read(
    redis_url: str, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_unacked, "MAX_UNACKED_READ", 3)
    for queue in ("a", "a", "a", "b"):
        send(redis_url, "plain.ok", queue=queue)
    broker = BrokerConnection(Settings(broker_url=redis_url))
    depths = RedisDepths(broker.connect(), broker, set())
    with consumed(redis_url, "a", "b"):
        queues, held = measured(depths)
    found = {name: (one.unacked, one.unacked_at_least) for name, one in queues.items()}
    assert found == {"a": (None, 3), "b": (None, None)}
    assert queues["b"].notes == ("4 unacknowledged in all queues together; 3 were read",)
    assert held is not None and (len(held.messages), held.total) == (3, 4)


def test_frugal_asks_for_their_number_only(redis_url: str, send: Send) -> None:
    for queue in ("a", "b"):
        send(redis_url, "plain.ok", queue=queue)
    broker = BrokerConnection(Settings(broker_url=redis_url, frugal=True))
    with consumed(redis_url, "a"):
        queues, held = measured(RedisDepths(broker.connect(), broker, set()))
    assert held is None and queues["a"].unacked is None
    assert queues["a"].notes == (
        "1 unacknowledged in all queues together; Redis has no count per queue",
    )


def test_a_message_that_cannot_be_read_counts_for_its_queue(
    redis_server: RedisServer, redis_url: str
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    values = {"1": '["no message", "", "a"]', "2": "no JSON", "3": '[{"headers": 1}, "x", "y"]'}
    client.hset("unacked", mapping=values)
    client.zadd("unacked_index", {"1": 100.0, "2": 200.0, "3": 300.0, "4": 400.0})
    broker = BrokerConnection(Settings(broker_url=redis_url))
    queues, held = measured(RedisDepths(broker.connect(), broker, set()))
    assert (queues["a"].unacked, queues["a"].unacked_at_least) == (None, 1)
    assert held is not None
    assert held.messages == (
        UnackedMessage(100.0, "a"),
        UnackedMessage(200.0),
        UnackedMessage(300.0),
    )
