"""Brokers that accept connections but no messages, and connections that only look open."""

from __future__ import annotations

import time

import pytest
from celtop.model.entities.worker import WorkerStatus
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RabbitServer, RedisServer

EVERY_SECOND = ("--heartbeat-interval", "1")
"""A worker that is lost after 8 seconds without a heartbeat."""


def knows_worker(live: RunningSession) -> None:
    live.until(
        lambda: (w := live.state.workers.get("w1@test")) is not None and w.events_enabled and w.conf
    )


def status(live: RunningSession) -> WorkerStatus:
    live.state.tick(time.time())
    return live.state.workers["w1@test"].status(live.state.broker.listening(time.time()))


def judged(live: RunningSession) -> list[str]:
    """Return the log lines that call a worker late or lost."""
    return [text for text in live.log if text.startswith(("w1@test is late", "w1@test lost"))]


def test_an_alarm_of_rabbitmq_is_named_and_makes_no_worker_late(
    rabbit_server: RabbitServer,
    amqp_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
) -> None:
    start_worker(amqp_url, options=EVERY_SECOND)
    live = open_session(amqp_url)
    knows_worker(live)
    live.session.watch(frozenset({"queues"}))
    with rabbit_server.memory_alarm():
        assert "accepts no messages: memory alarm" in live.until_fault("memory", 30)
        blocked_at = time.time()
        assert live.state.broker.phase == "blocked"
        seen_at = live.state.workers["w1@test"].last_seen_at or 0.0
        # Longer than the silence after which a worker is lost.
        live.until(lambda: status(live) != "online" or time.time() - seen_at > 9.0, 30)
        assert status(live) == "online"
        live.until(lambda: (live.state.queues["celery"].measured_at or 0.0) > blocked_at)
    live.until_live()
    beats = live.state.totals.events
    live.until(lambda: live.state.totals.events > beats + 1)
    assert judged(live) == []


@pytest.mark.parametrize("refusal", ["memory", "replica"])
def test_a_redis_that_refuses_writes_is_named(
    refusal: str, own_redis: RedisServer, open_session: OpenSession, start_worker: StartWorker
) -> None:
    client = own_redis.client()
    live = open_session(own_redis.url())
    live.until_live()
    if refusal == "memory":
        client.config_set("maxmemory", 1)
    else:
        client.replicaof("127.0.0.1", own_redis.port + 1)
    live.session.refresh()
    live.until_fault(refusal, 30)
    assert live.state.broker.phase == "blocked"
    client.config_set("maxmemory", 0)
    client.replicaof("NO", "ONE")
    live.until_live()
