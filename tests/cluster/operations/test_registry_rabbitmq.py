"""A few operations of each kind over RabbitMQ; only the connection differs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from celtop.model.operations.commands import (
    AddConsumer,
    CancelConsumer,
    Ping,
    PoolGrow,
    Revoke,
    Shutdown,
)
from celtop.tests.cluster.workers import Workers, workers
from celtop.tests.servers import RabbitServer, until


@pytest.fixture(scope="module")
def two(rabbit_server: RabbitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    directory = tmp_path_factory.mktemp("two")
    with workers(directory, rabbit_server.next_url(), "prefork", "threads") as made:
        yield made


def test_commands_are_answered_and_take_effect(two: Workers, rabbit_server: RabbitServer) -> None:
    assert two.do(Ping(workers=two.names())).good
    outcome = two.do(PoolGrow(workers=two.names(), by=1))
    assert outcome.workers_having("confirmed") == two.names("prefork")
    until(lambda: len(two.inspect("prefork", "stats")["pool"]["processes"]) == 3)
    assert two.do(AddConsumer(workers=two.names("threads"), queue="extra")).good
    id_ = two.send("plain.ok", queue="extra")
    until(lambda: two.logged("threads", f"plain.ok[{id_}] succeeded"))
    assert two.do(CancelConsumer(workers=two.names("threads"), queue="extra")).good
    # A mailbox goes with its act: none is left but those of the session and of Celery's client.
    mine = [name for name in rabbit_server.queue_names(two.url) if "reply.celery.pidbox" in name]
    assert len(mine) <= 2


def test_a_queue_without_consumers_is_declared_as_it_is(two: Workers) -> None:
    """Declared as a classic one, a quorum queue would break the worker's connection for good."""
    arguments = {"x-queue-type": "quorum", "x-max-length": 1000, "x-overflow": "reject-publish"}
    with two.app.connection_for_write() as connection:
        channel = connection.channel()
        channel.queue_declare("kept", durable=True, auto_delete=False, arguments=arguments)
        channel.queue_declare("fleeting", durable=False, auto_delete=False)
    for queue in ("kept", "fleeting"):
        outcome = two.do(AddConsumer(workers=two.names("threads"), queue=queue))
        assert outcome.good, outcome
    # By the exchange: a queue that is named here would be declared here.
    ids = [two.send("plain.ok", exchange=name, routing_key=name) for name in ("kept", "fleeting")]
    until(lambda: all(two.logged("threads", f"plain.ok[{id_}] succeeded") for id_ in ids))
    assert not two.logged("threads", "PRECONDITION")


def test_a_queue_that_belongs_to_another_connection_is_left_alone(two: Workers) -> None:
    with two.app.connection_for_write() as connection:
        connection.channel().queue_declare("mine", exclusive=True)
        outcome = two.do(AddConsumer(workers=two.names("threads"), queue="mine"))
        assert outcome.refusal is not None and "RESOURCE_LOCKED" in outcome.refusal
        assert two.do(Ping(workers=two.names("threads"))).good
    assert not two.logged("threads", "RESOURCE_LOCKED")


def test_thousands_are_revoked_and_a_running_task_is_ended(two: Workers) -> None:
    assert two.do(AddConsumer(workers=two.names("prefork"), queue="forked")).good
    id_ = two.send("plain.slow", 60, queue="forked")
    until(lambda: [one["id"] for one in two.inspect("prefork", "active")] == [id_])
    ids = (*(str(uuid.uuid4()) for _ in range(2_500)), id_)
    outcome = two.do(Revoke(ids=ids, workers=two.names()))
    assert outcome.good
    for pool in two.workers:
        assert set(ids) <= set(two.inspect(pool, "revoked"))
    outcome = two.do(Revoke(ids=(id_,), workers=two.names(), terminate=True, signal="SIGTERM"))
    assert outcome.targets[id_].text == "prefork@test has it and sends SIGTERM if it is running"
    until(lambda: not two.inspect("prefork", "active"))


def test_a_shutdown_is_confirmed_by_the_offline_event(two: Workers) -> None:
    assert two.do(Shutdown(workers=two.names("prefork"))).good
    assert two.workers["prefork"].child.wait() == 0
    assert two.workers["threads"].child.alive
