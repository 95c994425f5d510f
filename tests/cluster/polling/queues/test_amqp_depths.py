"""Queue depths on RabbitMQ, with and without its management API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from amqp.exceptions import NotFound
from celery import Celery
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.events.roster import Roster
from celtop.cluster.polling.queues import amqp_depths
from celtop.cluster.polling.queues.amqp_depths import AMQP_COUNTS_NO_UNACKED, AmqpDepths, Measured
from celtop.lists.queues import status_word
from celtop.model.confirm.dispatch import confirm
from celtop.model.entities.messages.delayed import Delayed, DelayLevel
from celtop.model.health.finding import Finding
from celtop.model.health.findings import findings
from celtop.model.health.queues.queues import queue_findings
from celtop.model.observations import DelayedMeasured, QuestionsFailed, QueueGone, QueueMeasured
from celtop.model.operations.commands import ReadMessages
from celtop.model.state import ClusterState
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RabbitServer, until
from kombu import Connection
from kombu.transport.native_delayed_delivery import (
    calculate_routing_key,
    declare_native_delayed_delivery_exchanges_and_queues,
)

Send = Callable[..., str]
OpenDepths = Callable[..., AmqpDepths]


@pytest.fixture
def open_depths(rabbit_server: RabbitServer, amqp_url: str) -> Iterator[OpenDepths]:
    """`open_depths(management)`: the depths in the test's virtual host."""
    opened: list[tuple[AmqpDepths, Any]] = []

    def start(
        management: str | None = None, queues: tuple[str, ...] = (), found: Iterable[str] = ()
    ) -> AmqpDepths:
        management = management or f"http://127.0.0.1:{rabbit_server.http_port}"
        settings = Settings(broker_url=amqp_url, rabbitmq_management=management, queues=queues)
        broker = BrokerConnection(settings)
        connection = broker.connect()
        depths = AmqpDepths(connection, broker, Roster(), found)
        opened.append((depths, connection))
        depths._interval = 0.0
        return depths

    yield start
    for depths, connection in opened:
        depths.close()
        connection.release()


def by_name(measured: Iterable[Measured]) -> dict[str, QueueMeasured]:
    return {one.name: one for one in measured if isinstance(one, QueueMeasured)}


def missing_queues(state: ClusterState) -> list[Finding]:
    return [one for one in queue_findings(state, time.time()) if one.code == "queue-missing"]


def delayed_of(measured: Iterable[Measured]) -> Delayed | None:
    found = [one.delayed for one in measured if isinstance(one, DelayedMeasured)]
    return found[0] if found else None


def publish(channel: Any, key: str, messages: int = 1, exchange: str = "") -> None:
    for _ in range(messages):
        message = channel.prepare_message("x", 0, "text/plain", "utf-8", {}, {"delivery_mode": 2})
        channel.basic_publish(message, exchange=exchange, routing_key=key)


def test_the_management_api_completes_passive_declares(
    amqp_url: str, open_depths: OpenDepths
) -> None:
    depths = open_depths()
    with Connection(amqp_url) as connection:
        channel = connection.default_channel
        kinds = {
            "orphan": {},
            "strict": {"x-queue-type": "quorum"},
            "urgent": {"x-max-priority": 5},
            "log": {"x-queue-type": "stream"},
            "amq.gen-reply": {},
        }
        for name, arguments in kinds.items():
            if name.startswith("amq."):
                channel.queue_declare("", exclusive=True)
            else:
                channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
        publish(channel, "orphan", 7)
        publish(channel, "strict", 5)
        publish(channel, "urgent", 2)
        channel.basic_qos(0, 2, False)
        channel.basic_consume("strict", callback=lambda message: None)
        assert channel.basic_get("orphan") is not None

        def settled() -> dict[str, QueueMeasured]:
            found = by_name(depths.measure(frozenset()))
            return found if found["strict"].unacked == 2 and found["orphan"].unacked == 1 else {}

        found = until(settled)
        assert depths.fault is None
        numbers = {name: (one.waiting, one.unacked, one.queue_kind) for name, one in found.items()}
        assert numbers == {
            "orphan": (6, 1, "classic"),
            "strict": (3, 2, "quorum"),
            "urgent": (2, 0, "classic"),
        }
        assert found["urgent"].max_priority == 5
        consumers = {name: one.consumer_count for name, one in found.items()}
        assert consumers == {"orphan": 0, "strict": 1, "urgent": 0}
        channel.queue_delete("urgent")
        assert QueueGone in [type(one) for one in depths.measure(frozenset())]


def test_delayed_delivery_is_counted_by_level(amqp_url: str, open_depths: OpenDepths) -> None:
    with_api, without = open_depths(), open_depths("never")
    assert delayed_of(without.measure(frozenset())) is None
    with Connection(amqp_url) as connection:
        declare_native_delayed_delivery_exchanges_and_queues(connection, "quorum")
        channel = connection.default_channel
        for countdown in (1, 20, 45, 100):
            key = calculate_routing_key(countdown, "billing")
            publish(channel, key, exchange="celery_delayed_27")

        def expired() -> list[Measured]:
            measured = list(with_api.measure(frozenset()))
            delayed = delayed_of(measured)
            return measured if delayed is not None and delayed.undeliverable else []

        measured = until(expired)
        delayed = delayed_of(measured)
        assert delayed is not None and delayed.bindings == ()
        assert not by_name(measured)
        # RabbitMQ keeps the first one, whose queue does not exist.
        assert delayed.levels[0] == DelayLevel(0, 1, undeliverable=1)
        assert [level.level for level in delayed.levels[1:]] == [4, 5, 6]
        assert delayed.messages == 4
        without._delays_due = 0.0
        declared = delayed_of(without.measure(frozenset()))
        assert declared is not None and declared.levels == delayed.levels[1:]


def test_without_the_management_api(
    rabbit_server: RabbitServer,
    amqp_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Send,
) -> None:
    start_worker(amqp_url)
    for _ in range(7):
        send(amqp_url, "plain.ok", queue="nobody")
    refused = f"http://guest:wrong-word@127.0.0.1:{rabbit_server.http_port}"
    live = open_session(amqp_url, queues=["nobody", "missing"], rabbitmq_management=refused)
    live.until(lambda: (q := live.state.queues.get("nobody")) is not None and q.waiting == 7)
    live.until(lambda: (q := live.state.queues.get("celery")) is not None and q.consumer_count == 1)
    (line,) = live.until(
        lambda: {line for line in live.log if "AMQP can neither list queues" in line}
    )
    assert "refused the password of the user guest" in line and "wrong-word" not in line
    nobody = live.state.queues["nobody"]
    assert (nobody.consumer_count, nobody.unacked) == (0, None)
    assert nobody.notes[0] == AMQP_COUNTS_NO_UNACKED
    listing, *_ = live.until(
        lambda: [one for one in findings(live.state, time.time()) if one.kind == "queues"]
    )
    assert (listing.severity, listing.incomplete) == ("info", False)
    assert "Check the user and password" in listing.next_step
    operation = ReadMessages(queue="celery", count=10)
    refusal = confirm(operation, live.state, time.time()).refusal
    assert refusal is not None and "refused the password of the user guest" in refusal
    assert live.state.queues["missing"].waiting is None
    assert live.state.queues["missing"].notes == ("no queue of this name",)


def test_a_deleted_queue_is_listed_again_only_if_tasks_are_sent_to_it(
    amqp_url: str, open_session: OpenSession, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp_depths, "LATE_EVENTS", 0.5)
    live = open_session(amqp_url, rabbitmq_management="never", queue_interval=0.5)
    live.session.watch(frozenset({"queues"}))
    live.until_live()
    for name in ("kept", "short"):
        send(amqp_url, "plain.ok", queue=name, conf={"task_send_sent_event": True})
    queues = live.state.queues
    live.until(lambda: queues.keys() >= {"kept", "short"} and queues["short"].waiting == 1)
    with Connection(amqp_url) as connection:
        connection.default_channel.queue_delete("short")
        live.until(lambda: "short" not in queues)
        measured_at = queues["kept"].measured_at
        assert measured_at is not None
        live.until(lambda: (queues["kept"].measured_at or 0.0) > measured_at + 2.0)
        assert "short" not in queues
        with Celery(broker=amqp_url).events.default_dispatcher() as dispatcher:
            dispatcher.send("task-sent", uuid="late", name="plain.ok", queue="short")
        live.until(lambda: "short" in queues and queues["short"].notes)
        assert queues["short"].waiting is None
        assert queues["short"].notes == ("no queue of this name",)
        assert status_word(queues["short"]) == "missing"
        (missing,) = live.until(lambda: missing_queues(live.state))
        assert (missing.name, missing.evidence["tasks"]) == ("short", 1)
        connection.default_channel.queue_declare("short")
        live.until(lambda: queues["short"].waiting == 0)
        assert not missing_queues(live.state)


def test_one_command_counts_a_hundred_queues_beyond_its_budget(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"queue-{number:02}" for number in range(30)]
    monkeypatch.setattr(amqp_depths, "MAX_COUNTED", 20)
    for frugal, counted in ((False, 24), (True, 4)):
        settings = Settings(broker_url=amqp_url, rabbitmq_management="never", frugal=frugal)
        broker = BrokerConnection(settings, budget=100)
        with broker.connect() as connection:
            for name in names:
                connection.default_channel.queue_declare(name)
            broker.meter.allow(5 - broker.meter.spare)  # one opens the channel
            measured = by_name(AmqpDepths(connection, broker, Roster()).measure(frozenset(names)))
            assert [measured[name].waiting for name in names] == [0] * counted + [None] * (
                30 - counted
            )
            assert measured[names[-1]].notes == (amqp_depths.NOT_COUNTED,)
            assert broker.meter.spare > -10  # what was left was for other questions


def test_a_queue_of_a_node_that_is_down_is_not_gone(
    amqp_url: str, open_depths: OpenDepths, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(amqp_url, "plain.ok", queue="kept")
    depths = open_depths("never")
    assert by_name(depths.measure(frozenset({"kept"})))["kept"].waiting == 1
    refusal = (
        "NOT_FOUND - home node 'rabbit@two' of durable queue 'kept' in vhost '/' is down or "
        "inaccessible"
    )

    def refuse(*_: Any, **__: Any) -> None:
        raise NotFound(refusal, (50, 10), 404, "Queue.declare")

    monkeypatch.setattr(depths._channel, "queue_declare", refuse)
    kept = by_name(depths.measure(frozenset({"kept"})))["kept"]
    assert kept.waiting is None and refusal in kept.notes[0]


def test_a_deleted_queue_is_removed(
    amqp_url: str, open_depths: OpenDepths, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(amqp_url, "plain.ok", queue="short")
    depths = open_depths("never")
    assert by_name(depths.measure(frozenset({"short"})))["short"].waiting == 1
    depths._connection.channel().queue_delete("short")
    for _ in range(2):  # it stays deleted, though an event has named it
        unusable, gone = depths.measure(frozenset({"short"}))
        assert isinstance(unusable, QuestionsFailed) and "never" in unusable.fault.problem
        assert isinstance(gone, QueueGone)
    # Unless events go on to name it.
    monkeypatch.setattr(amqp_depths, "LATE_EVENTS", -1.0)
    missing = by_name(depths.measure(frozenset({"short"})))["short"]
    assert (missing.waiting, missing.notes) == (None, ("no queue of this name",))
    depths._connection.channel().queue_declare("short")
    assert by_name(depths.measure(frozenset({"short"})))["short"].waiting == 0


@pytest.mark.parametrize("management", ["never", None])
def test_a_queue_that_was_deleted_while_disconnected_is_gone(
    open_depths: OpenDepths, management: str | None
) -> None:
    depths = open_depths(management, queues=("kept",), found=("event", "kept", "listed"))
    measured = list(depths.measure(frozenset({"event", "kept", "missing"})))
    gone = {one.name for one in measured if isinstance(one, QueueGone)}
    assert gone == {"event", "listed"}
    notes = {name: one.notes for name, one in by_name(measured).items()}
    assert notes == {"kept": ("no queue of this name",), "missing": ("no queue of this name",)}
    assert depths.found >= gone


def test_missing_queues_do_not_exhaust_the_channels(open_depths: OpenDepths) -> None:
    """A connection has 2,047 channels: an hour of measuring took them all."""
    depths = open_depths("never")
    for _ in range(3):
        found = by_name(depths.measure(frozenset({"missing", "other"})))
        assert [one.waiting for one in found.values()] == [None, None]
        assert {one.notes for one in found.values()} == {("no queue of this name",)}
    channels = depths._connection.connection.channels
    assert len([one for one in channels.values() if one is not None]) == 2
