"""The charts of the cluster, and of a queue, a worker or a task type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from math import ceil, floor, isnan, nan
from typing import TYPE_CHECKING, Final, TypeAlias

from ...model.entities.series.time_series import SECONDS, STEPS
from ...model.ingest.tasks.failure_groups import TREND_STEP, FailureGroup
from ...model.text import units
from ...model.text.sanitize import visible
from ...widgets.charts.axis import BYTES, COUNT, NUMBER, RATE, SHARE
from ...widgets.charts.axis import SECONDS as DURATION
from ...widgets.charts.chart import Chart
from ...widgets.charts.chart_data import ChartData
from ...widgets.charts.plot import Layer, fitted
from ..context import AppContext
from ..navigation import DrillDown
from .chart_window import chart_window, values
from .current_values import current_depths, current_queue_rates, current_rates, current_slots
from .series_chart import (
    SHARE_SECONDS,
    known_of,
    over_window,
    recorded,
    time_zone,
    unless_left_out,
    yesterday,
)

if TYPE_CHECKING:
    from ...history.rows import SubjectKind

MAX_QUEUES: Final = 4
"""Queues with a layer of their own; the others are drawn together."""
_QUEUE_STYLES: Final = ("first", "second", "third", "fourth")
_MAX_NAME: Final = 80
"""Characters of a queue's name."""
MIN_DEPTH_AGE: Final = 10.0
"""Seconds from which the legend gives the age of depths."""

_OUTCOMES: Final = (
    ("ok", "succeeded", "ok"),
    ("retry", "retried", "retry"),
    ("failed", "failed", "failed"),
)
_SLOTS: Final = (("busy", "busy", "first"), ("slots", "slots", "rest"))

Build: TypeAlias = Callable[[AppContext], ChartData]


@dataclass(frozen=True, slots=True)
class ChartKind:
    """A chart on the charts page."""

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
    window = chart_window(context)
    drawn = window.last if window.seconds > SECONDS else context.state.series.newest
    version = (
        kind, drawn, context.chart_seconds, context.yesterday, context.stored_series.version,
        context.utc, context.frozen,
    )  # fmt: skip
    if not chart.shows(version):
        data = build(context)
        chart.show(data, version, data.current() if data.current else average_rates(data))
    elif chart.data.current is not None:
        chart.show_current(chart.data.current())


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
    data = recorded(context, "cluster", "", RATE, *_OUTCOMES)
    return replace(data, current=partial(current_rates, context))


def average_rates(data: ChartData) -> tuple[str, ...]:
    """Return the rates of a chart for its legend over the time of all rates.

    Returns:
        A rate for each layer; () for other units.
    """
    if data.unit is not RATE:
        return ()
    steps = _steps_of_share(data.seconds / len(data.layers[0].values))
    newest = (known_of(layer.values[-steps:]) for layer in data.layers)
    return tuple(
        RATE.text(sum(values) / len(values)) if values and not isnan(layer.values[-1])
        else units.UNKNOWN
        for layer, values in zip(data.layers, newest, strict=True)
    )  # fmt: skip


def finished(context: AppContext, count: int) -> list[float | None]:
    """Return `count` numbers of tasks that finished per second over the window, for a sparkline."""
    ok, _, failed = fitted(throughput(context).layers[:3], count)
    return [None if isnan(one) else one + bad for one, bad in zip(ok, failed, strict=True)]


def failures(context: AppContext) -> ChartData:
    """Return the share of finished tasks that failed, of the last minute at each time."""
    return _failure_share(context, "cluster", "")


def type_failures(context: AppContext, name: str) -> ChartData:
    """Return the share of a type's finished tasks that failed, of the last minute at each time."""
    return _failure_share(context, "type", name)


def _failure_share(context: AppContext, kind: SubjectKind, name: str) -> ChartData:
    shares, idle = _failure_shares(context, kind, name)
    layers = [Layer("failed", shares, "failed", nothing_in=idle)]
    if context.yesterday:
        layers.append(yesterday(*_failure_shares(context, kind, name, days_ago=1)))
    return unless_left_out(context, kind, name, over_window(context, layers, SHARE))


def _failure_shares(
    context: AppContext, kind: SubjectKind, name: str, days_ago: int = 0
) -> tuple[list[float], frozenset[int]]:
    """Return the share in each step, and the steps of which it is known that no task finished."""
    window = chart_window(context)
    steps = _steps_of_share(window.step)
    longer = window.longer(steps)
    ok, failed = (
        values(context, longer, kind, name, value, days_ago) for value in ("succeeded", "failed")
    )
    shares: list[float] = []
    idle = set()
    for end in range(steps + 1, longer.count + 1):
        bad = sum(known_of(failed[end - steps : end]))
        ended = bad + sum(known_of(ok[end - steps : end]))
        is_known = not isnan(ok[end - 1])
        if is_known and not ended:
            idle.add(len(shares))
        shares.append(bad / ended if is_known and ended else nan)
    return shares, frozenset(idle)


def _steps_of_share(step: float) -> int:
    return max(1, int(SHARE_SECONDS // step))


def waiting(context: AppContext) -> ChartData:
    """Return the messages waiting, by queue: those with the most of them, and the others.

    A queue with many messages now has its own layer even if it was empty for most of the hour.
    """
    window, queues = chart_window(context), context.state.series.queues
    depths = {
        name: _depth(known_of(one.series.window("waiting", context.state.series.newest, STEPS)))
        for name, one in queues.items()
    }
    names = sorted((name for name in depths if depths[name]), key=lambda name: -depths[name])
    known = {name: values(context, window, "queue", name, "waiting") for name in names[:MAX_QUEUES]}
    sizes = {name: sum(known_of(each)) for name, each in known.items()}
    shown = sorted((name for name in known if sizes[name]), key=lambda name: (-sizes[name], name))
    total = values(context, window, "cluster", "", "waiting")
    layers = [
        Layer(visible(name, _MAX_NAME), known[name], style)
        for name, style in zip(shown, _QUEUE_STYLES, strict=False)
    ]
    has_others = len(names) > MAX_QUEUES or not layers
    if has_others:
        rest = [
            max(0.0, all_ - sum(known_of(parts))) if not isnan(all_) else nan
            for all_, *parts in zip(total, *(layer.values for layer in layers), strict=True)
        ]
        layers.append(Layer("other" if layers else "waiting", rest, "rest"))
    if context.yesterday:
        before = values(context, window, "cluster", "", "waiting", days_ago=1)
        layers.append(yesterday(before))
    current = partial(current_depths, context, tuple(shown), has_others=has_others)
    return replace(
        over_window(context, layers, COUNT), note=_measured(context, shown), current=current
    )


def _measured(context: AppContext, names: Iterable[str]) -> str:
    """Return when queues were measured, if that was before the latest steps.

    Their depths are drawn as they were: screens without queues have them measured less often.
    """
    found = (context.state.queues.get(name) for name in names)
    times = [one.measured_at for one in found if one is not None and one.measured_at is not None]
    if not times or context.now() - min(times) < MIN_DEPTH_AGE:
        return ""
    return f"measured at {units.clock(min(times), time_zone(context))}"


def _depth(known: Sequence[float]) -> float:
    """Return the average of depths, or the latest one if it is larger."""
    return max(sum(known) / len(known), known[-1]) if known else 0.0


def waits(context: AppContext) -> ChartData:
    """Return the 95th percentile of the queue wait of started tasks."""
    return recorded(context, "cluster", "", DURATION, ("p95", "wait_p95", "fourth"), of_tasks=True)


def runtimes(context: AppContext) -> ChartData:
    """Return the 95th percentile of the run time of successful tasks."""
    return recorded(
        context, "cluster", "", DURATION, ("p95", "runtime_p95", "second"), of_tasks=True
    )


def busy(context: AppContext) -> ChartData:
    """Return the busy slots of the online workers, below a line of all slots."""
    data = recorded(context, "cluster", "", COUNT, *_SLOTS, line="slots")
    return replace(data, current=partial(current_slots, context))


CHARTS: Final[tuple[ChartKind, ...]] = (
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
    data = recorded(context, "queue", name, COUNT, ("waiting", "waiting", "first"))
    current = partial(current_depths, context, (name,))
    return replace(data, note=_measured(context, (name,)), current=current)


def queue_rates(context: AppContext, name: str) -> ChartData:
    """Return the tasks that leave a queue per second, below a line of those that arrive."""
    layers = (("out", "out_per_s", "ok"), ("in", "in_per_s", "fourth"))
    data = recorded(context, "queue", name, RATE, *layers, line="in")
    return replace(data, current=partial(current_queue_rates, context, name))


def queue_ages(context: AppContext, name: str) -> ChartData:
    """Return for how long the first message that may run had been waiting, below the oldest one.

    Where an age is not known exactly, it is the minimum.
    """
    layers = (("runnable", "runnable", "second"), ("oldest", "oldest", "fourth"))
    return recorded(context, "queue", name, DURATION, *layers, line="oldest")


def worker_busy(context: AppContext, name: str) -> ChartData:
    """Return the busy slots of a worker, below a line of all slots."""
    data = recorded(context, "worker", name, COUNT, *_SLOTS, line="slots")
    return replace(data, current=partial(current_slots, context, name))


def worker_rate(context: AppContext, name: str) -> ChartData:
    """Return the tasks that a worker finishes per second."""
    return recorded(context, "worker", name, RATE, ("finished", "per_s", "ok"))


def worker_memory(context: AppContext, name: str) -> ChartData:
    """Return the peak memory of a worker's main process."""
    return recorded(context, "worker", name, BYTES, ("peak memory", "rss", "third"))


def worker_load(context: AppContext, name: str) -> ChartData:
    """Return the load of a worker's host over one minute."""
    return recorded(context, "worker", name, NUMBER, ("load", "load", "second"))


def type_rates(context: AppContext, name: str) -> ChartData:
    """Return the tasks of a type per second that succeeded, were retried and failed."""
    return recorded(context, "type", name, RATE, *_OUTCOMES)


def type_runtimes(context: AppContext, name: str) -> ChartData:
    """Return the median of a type's run times, below a line of their 95th percentile."""
    layers = (("run p50", "runtime_p50", "second"), ("run p95", "runtime_p95", "fourth"))
    return recorded(context, "type", name, DURATION, *layers, line="run p95", of_tasks=True)


def type_waits(context: AppContext, name: str) -> ChartData:
    """Return the 95th percentile of the queue wait of a type's tasks."""
    return recorded(
        context, "type", name, DURATION, ("wait p95", "wait_p95", "fourth"), of_tasks=True
    )


def group_failures(context: AppContext, group: FailureGroup) -> ChartData:
    """Return how many tasks of a group of failures failed, for each step of the last hour.

    Before the first event, only those are known that a result backend or the history has.
    """
    now = context.now()
    counts = group.trend.series(now)
    name = f"failed in {units.duration(TREND_STEP)}"
    end = (now // TREND_STEP + 1) * TREND_STEP
    start = end - len(counts) * TREND_STEP
    since = context.state.totals.first_event_at or now
    known = tuple(
        nan if not count and start + (step + 1) * TREND_STEP <= since else float(count)
        for step, count in enumerate(counts)
    )
    return ChartData(
        (Layer(name, known, "failed"),),
        end,
        len(counts) * TREND_STEP,
        COUNT,
        tz=time_zone(context),
        past=context.freeze.stepped_back,
    )
