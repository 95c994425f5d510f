"""Which charts a queue, a worker and a task type have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...model.query.language import exact_term
from ...widgets.charts.chart_data import ChartData
from ..context import AppContext
from . import charts
from .charts import Build, ChartKind

if TYPE_CHECKING:
    from ..navigation import Kind


@dataclass(frozen=True, slots=True)
class SubjectChart:
    """A chart of a queue, worker or task type."""

    id: str
    title: str
    build: Callable[[AppContext, str], ChartData]
    """Builds it for a name."""
    field: str
    """The time in the filter that finds its tasks."""
    also: str = ""
    """The rest of that filter."""

    def of(self, name: str) -> Build:
        """Return what builds it for a queue, worker or task type."""
        return lambda context: self.build(context, name)


OF_QUEUE: Final = (
    SubjectChart("waiting", "Waiting", charts.queue_depth, "received"),
    SubjectChart("rates", "In and out", charts.queue_rates, "received"),
    SubjectChart("ages", "Message age, at least", charts.queue_ages, "received"),
)
OF_WORKER: Final = (
    SubjectChart("busy", "Busy slots", charts.worker_busy, "started"),
    SubjectChart("finished", "Finished", charts.worker_rate, "finished"),
    SubjectChart("load", "Host load", charts.worker_load, "started"),
    SubjectChart("memory", "Memory", charts.worker_memory, "started"),
)
OF_TYPE: Final = (
    SubjectChart("throughput", "Throughput", charts.type_rates, "finished"),
    SubjectChart("runtimes", "Run time", charts.type_runtimes, "finished", "state:success"),
    SubjectChart("waits", "Queue wait", charts.type_waits, "started"),
)
"""The most important first: a page shows as many as fit."""
_FAILURES: Final = SubjectChart(
    "failures", "Failure share", charts.type_failures, "finished", "state:failure"
)

_OF_KIND: Final[Mapping[Kind, tuple[str, tuple[SubjectChart, ...]]]] = {
    "queue": ("queue", OF_QUEUE),
    "worker": ("worker", OF_WORKER),
    "type": ("name", (*OF_TYPE, _FAILURES)),
}
"""The field of the filter that selects the tasks of one, and its charts."""


def charts_of(kind: Kind, name: str) -> tuple[ChartKind, ...]:
    """Return the charts of a queue, worker or task type, whose filters find its tasks alone.

    Returns:
        () for a page of another kind.
    """
    field, found = _OF_KIND.get(kind, ("", ()))
    return tuple(
        ChartKind(
            chart.id, chart.title, chart.of(name), chart.field,
            f"{chart.also} {exact_term(field, name)}".strip(),
        )
        for chart in found
    )  # fmt: skip
