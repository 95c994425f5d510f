"""What is printed while a command that runs on has lost the broker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from celtop.cli.session import CONNECTED_AGAIN, CONNECTION_LOST, ConnectionReports
from celtop.cluster.session import Session
from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState

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
