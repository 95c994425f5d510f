"""The present values of charts for their legends, as headers, lists and pages show them."""

from __future__ import annotations

from collections.abc import Sequence

from ...lists import numbers
from ...model.entities.queue import Queue
from ...model.entities.series.rates import RATE_WINDOW
from ...model.ingest.series_recorder import MAX_DEPTH_AGE
from ...model.text import units
from ...widgets.charts.axis import COUNT
from ..context import AppContext
from ..text.unknown import counted_rate, not_known_yet, rates_known


def current_rates(context: AppContext) -> tuple[str, ...]:
    """Return the rates of `throughput` for its legend, by the header's definition."""
    state, now = context.state, context.now()
    if not rates_known(state, context.freeze):
        return (units.UNKNOWN,) * 3
    if not state.tasks and not_known_yet(state):
        return (units.UNKNOWN,) * 3
    rates = (state.rates.succeeded, state.rates.retried, state.rates.failed)
    until = state.broker.observed_until(now)
    return tuple(counted_rate(state, ring.per_second(until, RATE_WINDOW)) for ring in rates)


def current_depths(
    context: AppContext, names: Sequence[str], *, has_others: bool = False
) -> tuple[str, ...]:
    """Return the depths of queues as their list shows them, and that of all others together."""
    depths = {
        name: None if (queue := _known_queue(context, name)) is None else queue.waiting
        for name in (context.state.queues if has_others else names)
    }
    shown = [depths.pop(name, None) for name in names]
    if has_others:
        others = [depth for depth in depths.values() if depth is not None]
        shown.append(sum(others) if others else None)
    return tuple(units.UNKNOWN if depth is None else COUNT.text(depth) for depth in shown)


def current_queue_rates(context: AppContext, name: str) -> tuple[str, ...]:
    """Return the rates of a queue as its fields show them."""
    queue = _known_queue(context, name)
    found = (None, None) if queue is None else (queue.out_per_s, queue.in_per_s)
    return tuple(numbers.per_second(rate)[0] for rate in found)


def _known_queue(context: AppContext, name: str) -> Queue | None:
    """Return a queue if its values are those of the time that is shown."""
    state, queue = context.state, context.state.queues.get(name)
    if queue is None or queue.measured_at is None or state.broker.phase == "lost":
        return None
    return queue if context.now() - queue.measured_at <= MAX_DEPTH_AGE else None
