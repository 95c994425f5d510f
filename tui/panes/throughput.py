"""How many tasks succeed, fail and are retried, over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ...model.entities.styles import Level
from ...model.text import units
from ...widgets.charts.graph import Graph, Series
from ...widgets.charts.sparkline import spark
from ...widgets.colours import COLOURS
from ..bars.base import Part
from ..bars.header import RATE_WINDOW, failure_share
from ..context import AppContext
from .base import Pane
from .heights import Need

SECONDS: Final = 600
STEP: Final = 4
"""Seconds per point of the graph."""
HIGH_SHARE: Final = 0.1
"""Share of failed tasks above which the pane is marked."""
GRAPH_LINES: Final = 8
"""Lines that the graph takes from lists that are cut."""
MIN_GRAPH_LINES: Final = 5


class ThroughputPane(Pane):
    """The graph; it fills the room that no list needs."""

    NAME, TITLE, VIEW = "throughput", "Throughput (10 min)", "tasks"

    def __init__(self, context: AppContext) -> None:
        self.graph = Graph(glyphs=context.glyphs, id="graph")
        self._drawn: tuple[object, ...] = ()
        self._series: list[Series] = []
        super().__init__(context, self.graph)
        self.can_focus = True

    def need(self) -> Need:
        """Return a few lines, and that it fills more."""
        return Need(GRAPH_LINES, frame=2, least=MIN_GRAPH_LINES, fills=True)

    def status(self) -> tuple[Level, str]:
        """Return `warn` if many tasks fail."""
        state = self.context.state
        share = failure_share(state, self.context.now())
        level: Level = "idle" if share is None else "warn" if share > HIGH_SHARE else "good"
        return level, "" if state.observed else "incomplete"

    def summary(self) -> Sequence[Part]:
        """Return the rates, and the graph on one line."""
        styles = {"ok": "good", "failed": "bad", "retry": "state-retry"}
        parts = []
        for series in self._series:
            rate = units.rate(series.rate) if series.complete else units.UNKNOWN
            style = COLOURS[styles[series.name]] if series.rate else "$text-muted"
            parts.append(Part(f"{series.name} {rate}", style))
        taken = sum(len(part.text) + part.gap for part in parts) + len(self.TITLE) + 5
        width = self.size.width - taken
        if self._series and width >= 10:
            ended = [ok + failed for ok, failed in zip(*self._values(), strict=True)]
            values = _means(ended, width)
            parts.append(Part(spark(values, width, self.context.glyphs), "$text-success", 1))
        return parts

    def paint(self) -> None:
        """Draw the graph, or the line, when a step has passed."""
        state, now = self.context.state, self.context.now()
        observed = state.observed
        key = (int(now / STEP), observed)
        if key != self._drawn:
            self._drawn = key
            self._draw(now, observed)
        self.show_status()

    def _draw(self, now: float, observed: bool) -> None:
        rates = self.context.state.rates
        end = now - now % STEP - 1
        self._series = []
        for name, ring, style in (
            ("ok", rates.succeeded, "ok"),
            ("failed", rates.failed, "failed"),
            ("retry", rates.retried, "retry"),
        ):
            counts = ring.series(end, SECONDS)
            values = tuple(sum(counts[at : at + STEP]) / STEP for at in range(0, SECONDS, STEP))
            # Without events, no line at 0 suggests that no task runs.
            drawn = values if observed or any(values) else ()
            rate = ring.per_second(now, RATE_WINDOW)
            self._series.append(Series(name, drawn, style, complete=observed, rate=rate))
        version = (observed, *((series.values, series.rate) for series in self._series))
        self.graph.show(self._series, version, "-10 min")

    def _values(self) -> tuple[Sequence[float], Sequence[float]]:
        ok, failed = self._series[0].values, self._series[1].values
        return (ok, failed) if ok and failed else (ok or failed, [0.0] * len(ok or failed))


def _means(values: Sequence[float], width: int) -> list[float]:
    """Return at most `width` means of equally many neighbours."""
    if len(values) <= width:
        return list(values)
    bounds = [number * len(values) // width for number in range(width + 1)]
    parts = [values[begin:end] for begin, end in pairwise(bounds)]
    return [sum(part) / len(part) for part in parts]
