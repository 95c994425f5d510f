from __future__ import annotations

from celtop.model.entities.queue import Queue
from celtop.model.health.finding import Finding
from celtop.model.health.newness import (
    NEW,
    backlog_grew_at,
    failures_are_new,
    failures_rise,
    is_pressing,
    newly_failing,
)
from celtop.model.ingest.tasks.failure_groups import FailureGroup
from celtop.model.state import ClusterState

NOW = 1_000_000.0


def failing(*ago: float) -> FailureGroup:
    group = FailureGroup("KeyError", "t", None, first_at=NOW - max(ago))
    for one in sorted(ago, reverse=True):
        group.trend.add(NOW - one)
    return group


def test_failures_are_news_at_first_and_when_they_become_frequent() -> None:
    assert failures_are_new(failing(30.0), NOW)
    steady = [60.0 * minute for minute in range(55)]
    assert not failures_are_new(failing(*steady), NOW)
    assert failures_are_new(failing(*steady, *(float(second) for second in range(30))), NOW)
    assert not failures_are_new(failing(3000.0, 10.0), NOW)


def test_a_constant_share_of_failures_is_no_news_after_ten_minutes() -> None:
    state = ClusterState()
    assert not failures_rise(state, NOW)
    state.totals.first_event_at = NOW
    state.rates.failed.add(NOW + 1)
    assert failures_rise(state, NOW + 5)
    for second in range(1200):
        if second % 10 == 0:
            state.rates.failed.add(NOW + second)
    assert not failures_rise(state, NOW + 1200)
    state.rates.failed.add(NOW + 1201, 20)
    assert failures_rise(state, NOW + 1203)


def test_a_few_more_failures_than_usual_may_be_chance() -> None:
    hourly = [180.0 * number for number in range(1, 18)]  # one in three minutes
    assert not failures_are_new(failing(*hourly, 10.0, 40.0, 90.0), NOW)
    assert failures_are_new(failing(*hourly, *(5.0 * number for number in range(20))), NOW)


def test_only_what_failed_first_or_more_often_lately_is_newly_failing() -> None:
    state = ClusterState()
    old, new = failing(*(60.0 * minute for minute in range(55))), failing(30.0)
    old.names["billing.charge"] = new.names["mail.send"] = None
    state.failures = [old, new]  # type: ignore[assignment]
    assert newly_failing(state, NOW) == {"mail.send"}


def test_a_backlog_is_as_old_as_its_last_growth() -> None:
    queue = Queue("q")
    assert backlog_grew_at(queue) is None
    queue.history.extend(((1.0, 3), (2.0, 5), (3.0, 5), (4.0, 4)))
    assert backlog_grew_at(queue) == 2.0
    queue.history.popleft()
    assert backlog_grew_at(queue) == 2.0


def test_an_error_presses_for_ten_minutes() -> None:
    error = Finding("worker-lost", "error", "worker", "lost", "w", since=NOW)
    assert is_pressing(error, NOW + NEW - 1) and not is_pressing(error, NOW + NEW)
    grown = Finding("a", "error", "queue", "b", "q", since=NOW - 9_000, grew_at=NOW - 5)
    assert is_pressing(grown, NOW)
    assert is_pressing(Finding("events-lost", "error", "events", "lost"), NOW)
