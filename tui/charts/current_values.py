"""The present values of charts for their legends, as headers, lists and pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
        return (*map(_text, shown), _sum(depths.values()))
    return tuple(map(_text, shown))


def current_queue_rates(context: AppContext, name: str) -> tuple[str, ...]:
    """Return the rates of a queue as its fields show them."""
    queue = _known_queue(context, name)
    found = (None, None) if queue is None else (queue.out_per_s, queue.in_per_s)
    return tuple(numbers.per_second(rate)[0] for rate in found)


def current_slots(context: AppContext, name: str | None = None) -> tuple[str, ...]:
    """Return the busy slots and all slots as lists show them, of a worker or of all together."""
    state = context.state
    if state.broker.phase == "lost" or context.freeze.moment is not None:
        return (units.UNKNOWN,) * 2
    listening = state.broker.listening(context.now())
    present = [
        worker
        for worker in state.workers.values()
        if name in (None, worker.name) and worker.status(listening) != "offline"
    ]
    return _sum(one.running for one in present), _sum(one.slots for one in present)


def _sum(counts: Iterable[int | None]) -> str:
    known = [count for count in counts if count is not None]
    return _text(sum(known) if known else None)


def _text(count: int | None) -> str:
    return units.UNKNOWN if count is None else COUNT.text(count)


def _known_queue(context: AppContext, name: str) -> Queue | None:
    """Return a queue if its values are those of the time that is shown."""
    state, queue = context.state, context.state.queues.get(name)
    if queue is None or queue.measured_at is None or state.broker.phase == "lost":
        return None
    return queue if context.now() - queue.measured_at <= MAX_DEPTH_AGE else None
