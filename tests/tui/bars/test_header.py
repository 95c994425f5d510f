"""The header: what it shows of the connection, the workers and the time."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from celtop.cluster.session import Session
from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged, QuestionsFailed
from celtop.settings import Settings
from celtop.tests.model.streams import Script, play
from celtop.tests.tui.fake_session import NOW, FakeSession, cluster
from celtop.tui.bars.header import (
    collector_part,
    connection,
    failure_period,
    failure_share,
    finished_per_second,
    numbers,
    workers_online,
)
from celtop.tui.context import AppContext
from celtop.widgets.glyphs import UNICODE

ALARM = Fault("memory", "broker:5672 accepts no messages: memory alarm", "Free memory")


def context(*, utc: bool = True, **settings: Any) -> AppContext:
    session = cast(Session, FakeSession(cluster()))
    return AppContext(session, Settings(**settings), lambda: NOW, UNICODE, utc)


def shown(at: AppContext) -> str:
    return " ".join(part.text for part in (connection(at), *numbers(at)))


def test_the_number_of_workers_is_unknown_while_none_can_send_events() -> None:
    at = context()
    known = len(at.state.workers)
    at.state.observe(ConnectionChanged("live", NOW))
    assert f"/{known} workers" in shown(at) and f"?/{known} workers" not in shown(at)
    at.state.observe(ConnectionChanged("blocked", NOW, ALARM))
    assert "blocked: memory" in shown(at) and f"?/{known} workers" in shown(at)
    at.state.observe(ConnectionChanged("lost", NOW))
    assert "lost" in shown(at) and f"?/{known} workers" in shown(at)


def test_one_task_is_no_plural() -> None:
    at = context()
    assert len(at.state.tasks) > 1
    assert f"{len(at.state.tasks)} tasks" in shown(at)
    for id_ in list(at.state.tasks)[1:]:
        del at.state.tasks[id_]
    assert "1 task " in shown(at)


def test_a_history_that_a_collector_no_longer_writes_is_out_of_date() -> None:
    at = context()
    assert collector_part(at) == []
    at = context(from_history="history.sqlite3")
    assert [part.text for part in collector_part(at)] == ["from history"]
    at.state.observe(QuestionsFailed("cluster", ("history",), NOW, ALARM))
    assert [part.text for part in collector_part(at)] == ["history out of date"]


def test_the_zone_is_named_if_it_is_not_the_local_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "UTC" not in shown(context())
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    assert " UTC " in shown(context())
    assert "UTC" not in shown(context(utc=False))


def test_rates_stay_those_of_the_time_when_the_connection_was_lost() -> None:
    at = context()
    at.state.observe(ConnectionChanged("live", NOW))
    assert finished_per_second(at.state, NOW + 400) == 0
    at.state.observe(ConnectionChanged("lost", NOW))
    until = at.state.broker.listening(NOW).until
    for later in (NOW, NOW + 400):
        assert finished_per_second(at.state, later) == finished_per_second(at.state, until) > 0
        assert failure_share(at.state, later) == failure_share(at.state, until) is not None


def test_workers_online_are_none_while_no_event_can_arrive() -> None:
    at = context()
    known = len(at.state.workers)
    at.state.observe(ConnectionChanged("live", NOW))
    assert workers_online(at.state, NOW)[0] is not None
    at.state.observe(ConnectionChanged("lost", NOW))
    assert workers_online(at.state, NOW) == (None, known)


@pytest.mark.parametrize(
    ("seconds", "period"), [(0, "10 s"), (8, "10 s"), (31, "40 s"), (61, "2 m"), (400, "5 m")]
)
def test_the_failure_share_names_the_time_that_it_covers(seconds: float, period: str) -> None:
    state = play(Script("a").received().started().failed().events, at=NOW)
    state.observe(ConnectionChanged("live", NOW))
    assert failure_period(state, NOW + seconds) == f"in {period}"
