"""Charts of the values that are recorded of the cluster, a queue, a worker or a task type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from math import isnan, nan
from typing import TYPE_CHECKING, Final

from ...model.ingest.series_recorder import MAX_SUBJECTS
from ...widgets.charts.axis import RATE, Unit
from ...widgets.charts.chart_data import ChartData
from ...widgets.charts.plot import Layer
from ..context import AppContext
from .chart_window import ChartWindow, chart_window, is_left_out, marks, values

if TYPE_CHECKING:
    from ...history.rows import SubjectKind

SHARE_SECONDS: Final = 60
"""The time of which a share is taken: in a single step, few tasks finish."""
RATE_PERIOD: Final = "in 1 m"
"""The time of the rates in the legend, where the steps that are drawn are shorter."""
YESTERDAY: Final = "yesterday"

_PLURALS: Final = {"queue": "queues", "worker": "workers", "type": "task types"}


def time_zone(context: AppContext) -> tzinfo | None:
    """Return the time zone of the axes; None is the local one."""
    return UTC if context.utc else None


def recorded(
    context: AppContext,
    kind: SubjectKind,
    name: str,
    unit: Unit,
    *layers: tuple[str, str, str],
    line: str = "",
    of_tasks: bool = False,
) -> ChartData:
    """Return a chart of the values of a subject; each layer has a name, a value's and a style's.

    The layer named `line` is drawn as a line over the others. `of_tasks` is whether there are no
    values while no task runs.
    """
    window = chart_window(context)

    def idle(days_ago: int = 0) -> frozenset[int]:
        rates = values(context, window, kind, name, "succeeded", days_ago) if of_tasks else ()
        return frozenset(step for step, rate in enumerate(rates) if not isnan(rate))

    nothing_in = idle()
    drawn = [
        Layer(title, values(context, window, kind, name, value), style, title == line, nothing_in)
        for title, value, style in layers
    ]
    if context.yesterday:
        before = [
            values(context, window, kind, name, value, days_ago=1)
            for title, value, _ in layers
            if title != line
        ]
        sums = [sum(known_of(one)) if known_of(one) else nan for one in zip(*before, strict=True)]
        drawn.append(yesterday(sums, idle(days_ago=1)))
    data = unless_left_out(context, kind, name, over_window(context, drawn, unit))
    if kind != "worker":
        return data
    return replace(data, marks=tuple(mark for mark in data.marks if mark.worker == name))


def unless_left_out(
    context: AppContext, kind: SubjectKind, name: str, data: ChartData
) -> ChartData:
    """Return a chart that states if its subject is one too many to be recorded."""
    if not is_left_out(context, kind, name):
        return data
    return replace(data, no_values=f"not recorded: more than {MAX_SUBJECTS} {_PLURALS[kind]}")


def yesterday(known: Sequence[float], nothing_in: frozenset[int] = frozenset()) -> Layer:
    """Return the values of a day before as a line over the areas."""
    return Layer(YESTERDAY, known, "past", is_line=True, nothing_in=nothing_in, is_over_areas=True)


def over_window(context: AppContext, layers: Sequence[Layer], unit: Unit) -> ChartData:
    """Return layers as a chart of the steps that charts cover."""
    window: ChartWindow = chart_window(context)
    is_recorded = context.state.series.recorded_seconds >= window.seconds
    return ChartData(
        tuple(layers),
        window.end,
        window.seconds,
        unit,
        marks(context, window),
        time_zone(context),
        context.frozen,
        no_values="no data" if context.frozen or is_recorded else "no data yet",
        note=RATE_PERIOD if unit is RATE and window.step < SHARE_SECONDS else "",
    )


def known_of(known: Sequence[float]) -> list[float]:
    """Return the values that are known."""
    return [value for value in known if not isnan(value)]
