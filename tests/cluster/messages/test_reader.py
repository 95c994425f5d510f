"""Waiting and unacknowledged messages are read without changing anything."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.messages.reader import MessageReader
from celtop.settings import Settings
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer, until

Send = Callable[..., str]
OpenMessages = Callable[..., MessageReader]


@pytest.fixture
def open_messages() -> Iterator[OpenMessages]:
    """`open_messages(url, **settings)`: a reader over a connection of its own."""
    connections = []

    def start(url: str, **settings: Any) -> MessageReader:
        broker = BrokerConnection(Settings(broker_url=url, **settings))
        connections.append(broker.connect())
        return MessageReader(connections[-1], broker)

    yield start
    for connection in connections:
        connection.collect()


@pytest.fixture
def client(redis_server: RedisServer, redis_url: str) -> Any:
    """A plain client on the test's database."""
    return redis_server.client(int(redis_url.rsplit("/", 1)[1]))


def contents(client: Any) -> dict[str, Any]:
    """Return everything in a database, to check that nothing changed."""
    read = {"list": lambda key: client.lrange(key, 0, -1), "hash": client.hgetall}
    read |= {"set": client.smembers, "zset": lambda key: client.zrange(key, 0, -1, withscores=True)}
    read["string"] = client.get
    return {key: read[client.type(key)](key) for key in client.scan_iter()}


def test_messages_are_in_the_order_of_consumption(
    redis_url: str, client: Any, open_messages: OpenMessages, send: Send
) -> None:
    late = send(redis_url, "plain.ok", queue="q", priority=6)
    first = [send(redis_url, "plain.ok", number, queue="q") for number in range(3)]
    middle = send(redis_url, "plain.fail", "no", queue="q", priority=3, countdown=60)
    before, started = contents(client), time.time()
    peeked = open_messages(redis_url).waiting("q", 100)
    assert started <= peeked.at <= time.time()
    assert contents(client) == before
    assert [one.id for one in peeked.messages] == [*first, middle, late]
    assert (peeked.queue, peeked.complete, peeked.notes) == ("q", True, ())
    one = peeked.messages[3]
    assert (one.name, one.args, one.kwargs, one.priority) == ("plain.fail", "('no',)", "{}", 3)
    assert one.root_id == middle and one.eta_at is not None and one.retries == 0


def test_messages_are_limited_and_filtered_by_task(
    redis_url: str, open_messages: OpenMessages, send: Send
) -> None:
    ids = [send(redis_url, ("plain.ok", "plain.fail")[n % 2], queue="q") for n in range(50)]
    messages = open_messages(redis_url)
    peeked = messages.waiting("q", 7)
    assert [one.id for one in peeked.messages] == ids[:7]
    assert not peeked.complete
    peeked = messages.waiting("q", 100, task="plain.fail")
    assert [one.id for one in peeked.messages] == ids[1::2]
    assert peeked.complete
    assert messages.waiting("nothing", 5).complete


@pytest.mark.parametrize("size", [1, 7, 20])
def test_pages_follow_each_other_through_all_priorities(
    size: int, redis_url: str, open_messages: OpenMessages, send: Send
) -> None:
    ids = [send(redis_url, "plain.ok", queue="q", priority=n // 10 * 3) for n in range(35)]
    messages, found, read = open_messages(redis_url), [], 0
    while True:
        page = messages.waiting("q", size, skip=read)
        assert page.skipped == read and page.is_listing
        assert [one.before for one in page.messages] == list(range(read, page.read))
        found += [one.id for one in page.messages]
        read = page.read
        if page.complete:
            break
        assert len(page.messages) == size
    assert found == ids


def test_sender_and_serializer_are_named_and_a_pickle_is_not_loaded(
    redis_url: str, open_messages: OpenMessages, send: Send
) -> None:
    send(redis_url, "plain.ok", queue="q")
    send(redis_url, "plain.ok", queue="q", serializer="pickle", kwargs={"a": 1})
    plain, pickled = open_messages(redis_url).waiting("q", 5).messages
    assert plain.content_type == "application/json"
    assert "@" in plain.sender
    assert (pickled.content_type, pickled.kwargs) == ("application/x-python-serialize", "{'a': 1}")


def test_prefix_separator_and_steps_come_from_the_app(
    redis_url: str, open_messages: OpenMessages, send: Send
) -> None:
    options = {"global_keyprefix": "ac[m]e%s:", "sep": "#", "priority_steps": [0, 5]}
    conf = {"broker_transport_options": options}
    ids = [send(redis_url, "plain.ok", queue="q", priority=n, conf=conf) for n in (9, 0)]
    messages = open_messages(redis_url, broker_transport_options=options)
    assert [one.id for one in messages.waiting("q", 5).messages] == ids[::-1]
    assert set(messages.find(ids, ["q"])) == set(ids)


def test_a_sent_task_is_exactly_what_was_sent(
    redis_url: str, client: Any, open_messages: OpenMessages, send: Send
) -> None:
    args = (
        "zäh\u2028",
        [1, {"a": None}],
        Decimal("1.10"),
        uuid.UUID(int=7),
        b"\xff\x00",
        "x" * 99999,
    )
    sent = send(
        redis_url, "plain.ok", *args, queue="q", kwargs={"only": 1}, priority=4, time_limit=9,
        soft_time_limit=7, headers={"tenant": "ö"}, stamped_headers=["lot"], lot="7",
    )  # fmt: skip
    other = send(redis_url, "plain.ok", queue="q")
    raw = json.loads(client.lrange("q\x06\x163", 0, 0)[0])
    messages = open_messages(redis_url)
    started = time.time()
    found = messages.find([sent, "nobody"], ["empty", "q"])
    assert set(found) == {sent} and other not in found
    original = found[sent]
    assert (original.id, original.source, original.readable) == (sent, "queue", True)
    assert started <= original.seen_at <= time.time()
    call = original.call
    assert call.args == args and call.kwargs == {"only": 1}
    assert (call.name, call.queue, call.priority) == ("plain.ok", "q", 4)
    assert (call.time_limit, call.soft_time_limit) == (9, 7)
    assert call.headers["tenant"] == "ö" and call.headers["stamps"] == {"lot": "7"}
    assert original.message is not None
    assert original.message.headers == raw["headers"]
    assert json.loads(original.message.body)[1] == {"only": 1}
    assert original.message.content_type == "application/json"


def test_a_pickled_message_is_handed_on_and_never_loaded(
    redis_url: str, open_messages: OpenMessages, send: Send
) -> None:
    sent = send(redis_url, "plain.ok", 1, queue="q", serializer="pickle")
    packed = send(redis_url, "plain.ok", 1, queue="q", compression="zlib")
    found = open_messages(redis_url).find([sent, packed], ["q"])
    assert not found[sent].readable and not found[packed].readable
    assert found[sent].call.args == () and found[sent].call.name == "plain.ok"
    message = found[sent].message
    assert message is not None and message.content_type == "application/x-python-serialize"
    assert message.body.startswith(b"\x80")


def test_an_unacknowledged_message_is_found_with_its_queue(
    redis_url: str, open_messages: OpenMessages, start_worker: StartWorker, send: Send
) -> None:
    queues = {
        "celery": {"exchange": "ex", "routing_key": "rk"},
        "two": {"exchange": "ex", "routing_key": "other"},
    }
    worker = start_worker(redis_url, conf={"task_queues": queues}, queues=["celery", "two"])
    plain = send(redis_url, "plain.ok", 1, queue="celery", countdown=300)
    routed = send(redis_url, "plain.ok", 2, exchange="ex", routing_key="other", countdown=300)
    lost = send(redis_url, "plain.ok", 3, exchange="ex", routing_key="rk", countdown=300)
    for one in (plain, routed, lost):
        until(lambda: f"[{one}] received" in worker.child.output)  # noqa: B023
    found = open_messages(redis_url).find([plain, routed, lost], ["celery", "two"])
    assert {one.source for one in found.values()} == {"unacked"}
    assert found[plain].call.args == (1,)
    assert [found[one].call.queue for one in (plain, routed, lost)] == ["celery", "two", "celery"]


HOSTILE = [
    b"",
    b"no json",
    b"[1, 2]",
    b'"text"',
    b'{"headers": 7}',
    b'{"headers": {"task": 7, "id": []}}',
    b'{"headers": {"task": "t", "id": ""}}',
    b'{"headers": {"task": "t", "id": "' + b"i" * 5000 + b'"}}',
    b'{"headers": {"task": "t", "id": "a"}, "properties": []}',
    b'{"headers": {"task": "t", "id": "a"}, "body": {"deep": 1}}',
    b'{"headers": {"task": "t", "id": "\xff"}}',
    b"[" * 100_000,
    b'{"headers": ' + b'{"a":' * 50_000,
]
ODD = [
    b'{"headers": {"task": "t", "id": "nan", "x": NaN}, "body": "bm8=", "properties": {}}',
    b'{"headers": {"task": "t\\ud800", "id": "half"}, "body": "\\ud800"}',
    b'{"headers": {"task": "t", "id": "types", "eta": {}, "retries": "x", "argsrepr": 7, '
    b'"timelimit": "x", "expires": 1e999}, "body": "?", "content-type": "application/json", '
    b'"properties": {"body_encoding": "base64", "priority": 1e40}}',
    b'{"headers": {"task": "t", "id": "types2", "timelimit": [{}, []]}, "body": "[[], 7, 1]", '
    b'"content-type": "application/json", "content-encoding": "no-such"}',
    b'{"headers": {"task": "t", "id": "type3"}, "content-type": "application/json", '
    b'"body": "[[{\\"__type__\\": \\"decimal\\", \\"__value__\\": []}], {}, {}]"}',
]


def test_hostile_messages_are_counted_and_skipped(
    redis_url: str, client: Any, open_messages: OpenMessages, send: Send
) -> None:
    first = send(redis_url, "plain.ok", queue="q")
    client.lpush("q", *HOSTILE)
    client.lpush("q", *ODD)
    client.lpush("q", json.dumps({"body": "{}", "headers": {}, "properties": {}}))
    for number, raw in enumerate([*HOSTILE, b"[null, null, null]", b'[{"headers": 1}, "", ""]']):
        client.hset("unacked", f"tag{number}", raw)
    last = send(redis_url, "plain.ok", queue="q")
    messages = open_messages(redis_url)
    peeked = messages.waiting("q", 100)
    ids = [one.id for one in peeked.messages]
    assert (ids[0], ids[-1]) == (first, last)
    assert ids[1:-1] == ["nan", "half", "types", "types2", "type3"]
    assert peeked.notes == (
        f"{len(HOSTILE)} unreadable messages",
        "1 message of Celery 3, without a readable header",
    )
    found = messages.find(["a", "types", "types2", "type3", "nan", "half", last], ["q"])
    assert set(found) == {"types2", "type3", "nan", last}
    assert not found["types2"].readable and not found["type3"].readable


def test_a_key_that_is_not_a_queue(
    redis_url: str, client: Any, open_messages: OpenMessages
) -> None:
    client.hset("odd", "a", "b")
    messages = open_messages(redis_url)
    assert messages.waiting("odd", 5).notes == ("odd is not a queue but a Redis hash",)
    assert messages.find(["a"], ["odd"]) == {}


def test_no_message_is_missed_while_the_list_moves(
    redis_url: str, client: Any, open_messages: OpenMessages
) -> None:
    """Workers take from one end and callers put at the other, between two blocks."""
    client.lpush("q", *(f"m{n}" for n in range(3000)))
    messages = open_messages(redis_url)
    seen: list[str] = []
    for number, block in enumerate(messages.blocks("q")):
        seen += [raw.decode() for raw in block]
        if number % 3 == 0:
            client.rpop("q", 3 if number % 2 else 200)
        if number % 4 == 0:
            client.rpush("q", f"back{number}")
        client.lpush("q", *(f"new{number}-{n}" for n in range(50))) if number < 12 else None
    assert len(seen) == len(set(seen))
    old = [one for one in seen if one.startswith("m")]
    taken = {f"m{n}" for n in range(3000)} - set(old)
    assert old == [f"m{n}" for n in range(3000) if f"m{n}" not in taken]
    assert not taken & set(client.lrange("q", 0, -1))


def test_reading_beside_busy_workers_finds_every_waiting_message(
    redis_url: str, client: Any, open_messages: OpenMessages
) -> None:
    client.lpush("q", *(f"m{n}" for n in range(20_000)))
    stop = threading.Event()

    def take() -> None:
        while not stop.is_set() and client.llen("q") > 10_000:
            client.rpop("q")

    thread = threading.Thread(target=take)
    thread.start()
    seen = [raw.decode() for block in open_messages(redis_url).blocks("q") for raw in block]
    stop.set()
    thread.join()
    assert len(seen) == len(set(seen))
    assert set(client.lrange("q", 0, -1)) <= set(seen)


def test_large_messages_come_in_small_blocks(
    redis_url: str, client: Any, open_messages: OpenMessages
) -> None:
    client.lpush("q", *(f"{n:02}" + "x" * (1 << 20) for n in range(40)))
    blocks = [len(block) for block in open_messages(redis_url).blocks("q")]
    assert sum(blocks) == 40
    assert set(blocks[1:-1]) <= {3, 4}


def test_other_brokers_have_a_reason(
    amqp_url: str, open_messages: OpenMessages, send: Send
) -> None:
    sent = send(amqp_url, "plain.ok", queue="q")
    messages = open_messages(amqp_url)
    peeked = messages.waiting("q", 5)
    assert (peeked.messages, peeked.complete) == ((), False)
    assert "RabbitMQ cannot show waiting messages" in peeked.notes[0]
    assert messages.find([sent], ["q"]) == {}
    memory = open_messages("memory://").waiting("q", 5)
    assert "the messages of a memory:// broker" in memory.notes[0]
