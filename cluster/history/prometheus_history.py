"""The series of charts from a Prometheus that scrapes celtop, in place of those of the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from ...metrics.query import PrometheusError, PrometheusSeries
from ..results.lookups import run_in_thread

if TYPE_CHECKING:
    from ...history.rows import StoredMark, SubjectKind


class ChartHistory(Protocol):
    """The source of charts of more than the last hour."""

    def series(
        self, kind: SubjectKind, name: str, start: float, end: float, step: int
    ) -> Future[Mapping[str, Sequence[float]]]:
        """Return the values of the cluster, a queue, a worker or a task type; NaN is unknown."""

    def marks(self, start: float, end: float) -> Future[Sequence[StoredMark]]:
        """Return what happened to workers."""


class PrometheusHistory:
    """Reads series from Prometheus, and marks from the history if there is one.

    Args:
        source: Where the series are.
        cluster: The name of the cluster.
        marks: Where the marks are.
        on_problem: Called with the reason if Prometheus cannot be asked, once until it can.
    """

    def __init__(
        self,
        source: PrometheusSeries,
        cluster: str,
        marks: ChartHistory | None,
        on_problem: Callable[[str], object],
    ) -> None:
        self._source = source
        self._cluster = cluster
        self._marks = marks
        self._on_problem = on_problem
        self._problem = ""
        self._asking = Lock()

    def series(
        self, kind: SubjectKind, name: str, start: float, end: float, step: int
    ) -> Future[Mapping[str, Sequence[float]]]:
        """Return the values of the cluster, a queue, a worker or a task type; NaN is unknown."""
        return run_in_thread(lambda: self._read(kind, name, start, end, step))

    def marks(self, start: float, end: float) -> Future[Sequence[StoredMark]]:
        """Return what happened to workers; nothing without a history."""
        if self._marks is not None:
            return self._marks.marks(start, end)
        none: Future[Sequence[StoredMark]] = Future()
        none.set_result(())
        return none

    def _read(
        self, kind: SubjectKind, name: str, start: float, end: float, step: int
    ) -> Mapping[str, Sequence[float]]:
        try:
            with self._asking:  # one request at a time
                found = self._source.series(self._cluster, kind, name, start, end, step)
        except PrometheusError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                self._on_problem(self._problem)
            raise
        self._problem = ""
        return found
