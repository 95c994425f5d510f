"""The charts of the cluster, and of a queue, a worker or a task type, from the last hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from math import ceil, floor, isnan, nan
from typing import Final, TypeAlias

from ..model.entities.rates import RATE_WINDOW
from ..model.entities.time_series import SECONDS, STEP, STEPS, TimeSeries
from ..model.text import units
from ..model.text.sanitize import visible
from ..widgets.charts.axis import BYTES, COUNT, NUMBER, RATE, SHARE, Unit
from ..widgets.charts.axis import SECONDS as DURATION
from ..widgets.charts.chart import Chart
from ..widgets.charts.chart_data import ChartData
from ..widgets.charts.plot import Layer, fitted
from .context import AppContext
from .navigation import DrillDown
from .text.unknown import not_known_yet

CHART_WINDOWS: Final = (300, 900, SECONDS)
"""Seconds that charts cover."""
SHARE_STEPS: Final = 60 // STEP
"""Steps of which a share is taken: in a single one, few tasks finish."""
MAX_QUEUES: Final = 4
"""Queues with a layer of their own; the others are drawn together."""
_QUEUE_STYLES: Final = ("first", "second", "third", "fourth")
_MAX_NAME: Final = 24
NONE: Final = "-"
"""Shown instead of the share or percentile of no tasks."""

Build: TypeAlias = Callable[[AppContext], ChartData]


@dataclass(frozen=True, slots=True)
class ChartKind:
    """A chart of the cluster."""

    id: str
    title: str
    build: Build
    field: str
    """The time in the filter that finds its tasks."""
    also: str = ""
    """The rest of that filter."""


def show(chart: Chart, kind: str, build: Build, context: AppContext) -> None:
    """Show a chart, which is built only if it differs from the one shown.

    Args:
        chart: The widget.
        kind: The id of the chart, with the name of its queue, worker or task type.
        build: Builds the chart.
        context: The session and the window.
    """
    series = context.state.series
    version = (kind, series.newest, context.chart_seconds, context.utc, context.frozen)
    current = current_rates(context) if build is throughput else ()
    if not chart.shows(version):
        data = build(context)
        chart.show(data, version, current or average_rates(data))
    elif current:
        chart.show_current(current)


def time_zone(context: AppContext) -> tzinfo | None:
    """Return the time zone of the axes; None is the local one."""
    return UTC if context.utc else None


def tasks_between(
    context: AppContext, low: float, high: float, field: str = "finished", also: str = ""
) -> DrillDown:
    """Return the step to the tasks of a time.

    Args:
        context: For the time zone.
        low: Epoch seconds.
        high: Epoch seconds, not included.
        field: Which time of a task.
        also: Further terms of the filter.
    """
    zone = time_zone(context)
    low, high = floor(low), max(floor(low), ceil(high) - 1)  # the last second counts whole
    first, last = (
        f"{datetime.fromtimestamp(at, zone):%Y-%m-%dT%H:%M:%S}{'Z' if zone else ''}"
        for at in (low, high)
    )
    title = f"{units.clock(low, zone)} to {units.clock(high, zone)}"
    return DrillDown("tasks", f"{also} {field}:{first}..{last}".strip(), title)


def throughput(context: AppContext) -> ChartData:
    """Return the tasks per second that succeeded, were retried and failed."""
    return _cluster(
        context,
        RATE,
        ("ok", "succeeded", "ok"),
        ("retry", "retried", "retry"),
        ("failed", "failed", "failed"),
    )


def current_rates(context: AppContext) -> tuple[str, ...]:
    """Return the rates of `throughput` for its legend, by the header's definition."""
    state, now = context.state, context.now()
    if not state.observed or (not state.tasks and not_known_yet(state)):
        return (units.UNKNOWN,) * 3
    rates = (state.rates.succeeded, state.rates.retried, state.rates.failed)
    return tuple(units.rate(ring.per_second(now, RATE_WINDOW)) for ring in rates)


def average_rates(data: ChartData) -> tuple[str, ...]:
    """Return the rates of a chart for its legend over the time of all rates; () for other units."""
    if data.unit is not RATE:
        return ()
    newest = (_known(layer.values[-SHARE_STEPS:]) for layer in data.layers)
    return tuple(
        RATE.text(sum(values) / len(values)) if values and not isnan(layer.values[-1])
        else layer.missing
        for layer, values in zip(data.layers, newest, strict=True)
    )  # fmt: skip


def finished(context: AppContext, count: int) -> list[float | None]:
    """Return `count` numbers of tasks that finished per second over the window, for a sparkline."""
    ok, _, failed = fitted(throughput(context).layers, count)
    return [None if isnan(one) else one + bad for one, bad in zip(ok, failed, strict=True)]


def failures(context: AppContext) -> ChartData:
    """Return the share of finished tasks that failed, of the last minute at each time."""
    series, steps = context.state.series, context.chart_seconds // STEP + SHARE_STEPS
    ok, failed = (
        series.cluster.window(name, series.newest, steps) for name in ("succeeded", "failed")
    )
    shares: list[float] = []
    for end in range(SHARE_STEPS + 1, steps + 1):
        bad = sum(_known(failed[end - SHARE_STEPS : end]))
        ended = bad + sum(_known(ok[end - SHARE_STEPS : end]))
        shares.append(bad / ended if ended else nan)
    return _data(context, [Layer("failed", shares, "failed", missing=NONE)], SHARE)


def waiting(context: AppContext) -> ChartData:
    """Return the messages waiting, by queue: those with the most of them, and the others."""
    series = context.state.series
    known = {name: _window(context, one.series, "waiting") for name, one in series.queues.items()}
    sizes = {name: sum(_known(values)) for name, values in known.items()}
    names = sorted((name for name in known if sizes[name]), key=lambda name: (-sizes[name], name))
    total = _window(context, series.cluster, "waiting")
    layers = [
        Layer(visible(name, _MAX_NAME), known[name], style)
        for name, style in zip(names, _QUEUE_STYLES, strict=False)
    ]
    if len(names) > MAX_QUEUES or not layers:
        rest = [
            max(0.0, all_ - sum(_known(shown))) if not isnan(all_) else nan
            for all_, *shown in zip(total, *(layer.values for layer in layers), strict=True)
        ]
        layers.append(Layer("other" if layers else "waiting", rest, "rest"))
    return _data(context, layers, COUNT)


def waits(context: AppContext) -> ChartData:
    """Return the 95th percentile of the queue wait of started tasks."""
    return _cluster(context, DURATION, ("p95", "wait_p95", "fourth"), missing=NONE)


def runtimes(context: AppContext) -> ChartData:
    """Return the 95th percentile of the run time of successful tasks."""
    return _cluster(context, DURATION, ("p95", "runtime_p95", "second"), missing=NONE)


def busy(context: AppContext) -> ChartData:
    """Return the busy slots of the online workers, below a line of all slots."""
    return _slots(context, context.state.series.cluster)


CHARTS: Final = (
    ChartKind("throughput", "Throughput", throughput, "finished"),
    ChartKind("failures", "Failure share", failures, "finished", "state:failure"),
    ChartKind("waiting", "Waiting by queue", waiting, "received"),
    ChartKind("waits", "Queue wait, p95", waits, "started"),
    ChartKind("runtimes", "Run time, p95", runtimes, "finished", "state:success"),
    ChartKind("busy", "Busy slots", busy, "started"),
)
"""The charts of the cluster."""


def queue_depth(context: AppContext, name: str) -> ChartData:
    """Return the messages waiting in a queue."""
    series = context.state.series.queues.series(name)
    return _of(context, series, COUNT, ("waiting", "waiting", "first"))


def queue_rates(context: AppContext, name: str) -> ChartData:
    """Return the tasks that leave a queue per second, below a line of those that arrive."""
    series = context.state.series.queues.series(name)
    data = _of(context, series, RATE, ("out", "out_per_s", "ok"), ("in", "in_per_s", "fourth"))
    return _as_line(data, "in")


def queue_ages(context: AppContext, name: str) -> ChartData:
    """Return for how long the first message that may run had been waiting, below the oldest one.

    Where an age is not known exactly, it is the minimum.
    """
    series = context.state.series.queues.series(name)
    layers = (("runnable", "runnable", "second"), ("oldest", "oldest", "fourth"))
    return _as_line(_of(context, series, DURATION, *layers), "oldest")


def worker_busy(context: AppContext, name: str) -> ChartData:
    """Return the busy slots of a worker, below a line of all slots."""
    return _marked(_slots(context, context.state.series.workers.series(name)), name)


def worker_rate(context: AppContext, name: str) -> ChartData:
    """Return the tasks that a worker finishes per second."""
    series = context.state.series.workers.series(name)
    return _marked(_of(context, series, RATE, ("finished", "per_s", "ok")), name)


def worker_memory(context: AppContext, name: str) -> ChartData:
    """Return the peak memory of a worker's main process."""
    series = context.state.series.workers.series(name)
    return _marked(_of(context, series, BYTES, ("peak memory", "rss", "third")), name)


def worker_load(context: AppContext, name: str) -> ChartData:
    """Return the load of a worker's host over one minute."""
    series = context.state.series.workers.series(name)
    return _marked(_of(context, series, NUMBER, ("load", "load", "second")), name)


def type_rates(context: AppContext, name: str) -> ChartData:
    """Return the tasks of a type per second that succeeded, were retried and failed."""
    return _of(
        context,
        context.state.series.types.series(name),
        RATE,
        ("ok", "succeeded", "ok"),
        ("retry", "retried", "retry"),
        ("failed", "failed", "failed"),
    )


def type_runtimes(context: AppContext, name: str) -> ChartData:
    """Return the median of a type's run times, below a line of their 95th percentile."""
    series = context.state.series.types.series(name)
    layers = (("run p50", "runtime_p50", "second"), ("run p95", "runtime_p95", "fourth"))
    return _as_line(_of(context, series, DURATION, *layers, missing=NONE), "run p95")


def type_waits(context: AppContext, name: str) -> ChartData:
    """Return the 95th percentile of the queue wait of a type's tasks."""
    series = context.state.series.types.series(name)
    return _of(context, series, DURATION, ("wait p95", "wait_p95", "fourth"), missing=NONE)


def _cluster(
    context: AppContext, unit: Unit, *layers: tuple[str, str, str], missing: str = units.UNKNOWN
) -> ChartData:
    return _of(context, context.state.series.cluster, unit, *layers, missing=missing)


def _of(
    context: AppContext,
    series: TimeSeries | None,
    unit: Unit,
    *layers: tuple[str, str, str],
    missing: str = units.UNKNOWN,
) -> ChartData:
    """Return a chart of the values of a series; each layer has a name, a value's and a style's."""
    drawn = [
        Layer(name, _window(context, series, value), style, missing=missing)
        for name, value, style in layers
    ]
    return _data(context, drawn, unit)


def _slots(context: AppContext, series: TimeSeries | None) -> ChartData:
    layers = (("busy", "busy", "first"), ("slots", "slots", "rest"))
    return _as_line(_of(context, series, COUNT, *layers), "slots")


def _as_line(data: ChartData, name: str) -> ChartData:
    """Draw a layer as a line."""
    layers = (replace(one, is_line=one.is_line or one.name == name) for one in data.layers)
    return replace(data, layers=tuple(layers))


def _marked(data: ChartData, worker: str) -> ChartData:
    """Keep only the marks of one worker."""
    return replace(data, marks=tuple(mark for mark in data.marks if mark.worker == worker))


def _data(context: AppContext, layers: Sequence[Layer], unit: Unit) -> ChartData:
    series, seconds = context.state.series, context.chart_seconds
    end = series.end if series.newest else context.now()
    marks = tuple(series.marks.between(end - seconds, end))
    return ChartData(tuple(layers), end, seconds, unit, marks, time_zone(context), context.frozen)


def _window(context: AppContext, series: TimeSeries | None, value: str) -> list[float]:
    steps = min(STEPS, context.chart_seconds // STEP)
    if series is None:
        return [nan] * steps
    return series.window(value, context.state.series.newest, steps)


def _known(values: Sequence[float]) -> list[float]:
    return [value for value in values if not isnan(value)]
