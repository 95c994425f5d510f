"""Waiting for the broker, and what is printed while a command that runs on has lost it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from celtop.cli.session import (
    CONNECTED_AGAIN,
    CONNECTION_LOST,
    ConnectionReports,
    open_session,
    pump_until,
    wait_for_broker,
)
from celtop.cluster.session import Session
from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.settings import Settings
from celtop.tests.servers import RedisServer, until

REFUSED = Fault("refused", "Cannot connect to redis:6379: connection refused", "")
PASSWORD = Fault("auth", "redis:6379 requires a password, but the URL has none", "")


def test_each_reason_is_printed_once_while_the_broker_is_lost() -> None:
    state, lines = ClusterState(), list[str]()
    report = ConnectionReports(cast(Session, SimpleNamespace(state=state)), lines.append)
    state.observe(ConnectionChanged("live", 1.0))
    report()
    for at, fault in enumerate((REFUSED, REFUSED, PASSWORD, REFUSED), 2):
        state.observe(ConnectionChanged("lost", float(at), fault=fault))
        report()
    state.observe(ConnectionChanged("live", 9.0))
    report()
    reasons = [REFUSED.problem, PASSWORD.problem]
    assert lines == [CONNECTION_LOST, *reasons, CONNECTED_AGAIN]


def test_a_broker_that_is_lost_as_soon_as_it_is_connected_was_reached(
    own_redis: RedisServer,
) -> None:
    settings = Settings(broker_url=own_redis.url())
    with open_session(settings, report=False) as session:
        live = session._observers.receiver.live
        until(live.is_set, what="it is connected")
        own_redis.kill()
        broker = session.state.broker
        assert pump_until(session, 10.0, lambda: broker.phase == "lost")
        wait_for_broker(session, 0.5)
