"""The data of a chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from math import isnan
from typing import Final

from ...model.entities.series.time_series import Mark
from ...model.text import units
from .axis import RATE, Unit
from .plot import Layer

DAY: Final = 86_400
MONTH: Final = len("2026-")
NONE: Final = "-"
"""Shown instead of the share or percentile of no tasks."""
MINUTES: Final = len("2026-11-21 14:02")


@dataclass(frozen=True, slots=True)
class ChartData:
    """Layers over a time, with their unit and marks."""

    layers: tuple[Layer, ...]
    end: float
    """The epoch seconds at the right edge."""
    seconds: float
    """The time between both edges."""
    unit: Unit = RATE
    marks: tuple[Mark, ...] = ()
    tz: tzinfo | None = None
    """The time zone of the axis; None is the local one."""
    past: bool = False
    """Whether the right edge is an earlier time than now."""
    no_values: str = "no data yet"
    """What stands in the place of a chart without values."""

    note: str = ""
    """What the legend adds to the newest values if there is room."""
    current: Callable[[], Sequence[str]] | None = None
    """Returns the present values of the first layers for the legend, if not the newest ones drawn:
    a step is drawn when it has ended, and may be a mean."""

    @property
    def start(self) -> float:
        """The epoch seconds at the left edge."""
        return self.end - self.seconds

    @property
    def newest_alone(self) -> bool:
        """Whether the last column draws the newest step alone: a rate is that of a longer time."""
        return self.unit is not RATE

    @property
    def has_values(self) -> bool:
        """Whether any value is known."""
        return any(not isnan(value) for layer in self.layers for value in layer.values)

    def time(self, at: float) -> str:
        """Return a time as text, with the day if the chart covers more than one."""
        if self.seconds < DAY:
            return units.clock(at, self.tz)
        return units.date_time(at, self.tz)[MONTH:MINUTES]

    def step(self, at: float) -> int:
        """Return the number of the step at a time; it may lie outside."""
        steps = len(self.layers[0].values) if self.layers else 0
        return int((at - self.start) / self.seconds * steps)

    def value(self, layer: Layer, step: int | None) -> str:
        """Return the text of a layer's value in a step; None is the newest."""
        if step is None:
            step = len(layer.values) - 1
        if not 0 <= step < len(layer.values) or isnan(layer.values[step]):
            return NONE if step in layer.nothing_in else units.UNKNOWN
        return self.unit.text(layer.values[step])


EMPTY: Final = ChartData((), 0.0, 1.0)
