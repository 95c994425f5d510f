from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
from celtop.cluster.history.prometheus_history import PrometheusHistory
from celtop.cluster.history.stored_history import StoredHistory
from celtop.cluster.session import Session
from celtop.metrics.query import PrometheusError, PrometheusSeries
from celtop.settings import Settings


class PreparedSeries(PrometheusSeries):
    """Returns what the test has prepared, or raises it."""

    def __init__(self) -> None:
        super().__init__("http://prometheus:9090")
        self.answer: Mapping[str, Sequence[float]] | PrometheusError = {"waiting": [1.0]}
        self.asked: list[tuple[object, ...]] = []

    def series(self, *arguments: Any, **named: Any) -> Mapping[str, Sequence[float]]:
        self.asked.append(arguments)
        if isinstance(self.answer, PrometheusError):
            raise self.answer
        return self.answer


def test_series_of_the_cluster() -> None:
    source = PreparedSeries()
    history = PrometheusHistory(source, "shop", None, pytest.fail)
    found = history.series("queue", "mail", 0.0, 60.0, 60)
    assert found.result(5) == {"waiting": [1.0]}
    assert source.asked == [("shop", "queue", "mail", 0.0, 60.0, 60)]


def test_a_problem_is_reported_once_until_it_is_over() -> None:
    source, problems = PreparedSeries(), list[str]()
    history = PrometheusHistory(source, "shop", None, problems.append)
    fine = source.answer
    for answer in (PrometheusError("refused"),) * 2 + (fine, PrometheusError("refused")):
        source.answer = answer
        history.series("cluster", "", 0.0, 60.0, 60).exception(5)
    assert problems == ["refused", "refused"]


def test_marks_are_those_of_the_history() -> None:
    class Marks:
        def marks(self, start: float, end: float) -> Future[Any]:
            found: Future[Any] = Future()
            found.set_result([start, end])
            return found

    def marks(of: Any) -> object:
        return PrometheusHistory(PreparedSeries(), "", of, pytest.fail).marks(1.0, 2.0).result(0)

    assert marks(None) == ()
    assert marks(Marks()) == [1.0, 2.0]


def test_the_settings_decide_where_charts_come_from() -> None:
    broker = "redis://localhost/0"
    session = Session(Settings(broker_url=broker, prometheus_url="http://prometheus:9090"))
    assert isinstance(session.history.charts, PrometheusHistory)
    session = Session(Settings(broker_url=broker))
    assert session.history.charts is session.history.stored
    assert not isinstance(session.history.charts, PrometheusHistory)
    assert session.history.stored is None or isinstance(session.history.stored, StoredHistory)
