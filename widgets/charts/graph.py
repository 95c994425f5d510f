"""Lines over time, drawn by plotext, or as block characters.

Importing plotext takes 0.2 s, so a thread does it when the first graph is shown; until then, and in
ASCII or little room, blocks are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import work
from textual.strip import Strip
from textual.widget import Widget

from ...model.text import units
from ..compat.component_style import component_style
from ..glyphs import UNICODE, Glyphs
from ..table.cells import fit_cells
from .sparkline import spark

MIN_PLOT_SIZE: Final = (24, 6)
"""Width and height in cells; a smaller graph is drawn as blocks."""

LABEL_WIDTH: Final = 8
"""Cells of a series' name before its blocks."""

_PLOT_COLOURS: Final = ("green", "red", "magenta", "blue", "yellow", "cyan")
_SERIES_NUMBERS: Final = {"color(2)": 0, "color(1)": 1, "color(5)": 2, "color(4)": 3, "color(3)": 4}


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its name, values (oldest first), and style, one of `Graph.STYLES`."""

    name: str
    values: Sequence[float]
    style: str = "ok"
    complete: bool = True
    """Whether the values are exact, not only a minimum; otherwise the legend shows `?`."""
    rate: float = 0.0
    """The current rate per second, for the legend."""


class Graph(Widget):
    """A graph of a few series over the same period."""

    STYLES: ClassVar[tuple[str, ...]] = ("ok", "failed", "retry", "other")

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"graph--{name}" for name in STYLES),
        "graph--axis",
    }

    DEFAULT_CSS = """
    Graph {
        height: 1fr;
        width: 1fr;
        & > .graph--ok { color: $text-success; }
        & > .graph--failed { color: $text-error; }
        & > .graph--retry { color: mediumpurple; }
        & > .graph--other { color: dodgerblue; }
        & > .graph--axis { color: $text-muted; }
    }
    Graph:ansi {
        & > .graph--retry { color: ansi_magenta; }
        & > .graph--other { color: ansi_bright_blue; }
    }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs
        self._series: tuple[Series, ...] = ()
        self._version: object = None
        self._begin = ""
        self._plotext: ModuleType | None = None
        self._drawn: tuple[object, list[Strip]] = (None, [])

    def on_mount(self) -> None:
        """Import plotext, unless in ASCII, which it cannot draw."""
        if self._glyphs.name != "ascii":
            self._import()

    def show(self, series: Sequence[Series], version: object, begin: str = "") -> None:
        """Show new data.

        Args:
            series: The lines; the first is drawn on top.
            version: Any value that differs when the data differ.
            begin: The label of the left end of the time axis, such as `-10 min`.
        """
        if version != self._version:
            self._series, self._version, self._begin = tuple(series), version, begin
            self.refresh()

    def notify_style_update(self) -> None:
        """Redraw in the new styles."""
        self._drawn = (None, [])
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Return a line of the graph, which is drawn once per size and version of the data."""
        key = (self.size, self._version, self._plotext is None)
        if self._drawn[0] != key:
            self._drawn = (key, self._draw())
        lines = self._drawn[1]
        blank = Strip.blank(self.size.width, self.rich_style)
        return lines[y] if y < len(lines) else blank

    @work(thread=True, exit_on_error=False)
    def _import(self) -> None:
        module = import_module("plotext")
        self.app.call_from_thread(self._imported, module)

    def _imported(self, module: ModuleType) -> None:
        self._plotext = module
        self.refresh()

    def _draw(self) -> list[Strip]:
        width, height = self.size
        if not width or not height or not self._series:
            return []
        legend = self._legend(width) if height > 2 else []
        room = height - len(legend)
        if self._plotext is not None and width >= MIN_PLOT_SIZE[0] and room >= MIN_PLOT_SIZE[1]:
            return legend + self._plot(self._plotext, width, room)
        return legend + self._blocks(width, room)

    def _part(self, text: str, style: str) -> Segment:
        return Segment(text, self._rich(style))

    def _rich(self, style: str) -> Style:
        return self.rich_style + component_style(self, f"graph--{style}")

    def _line(self, parts: Sequence[tuple[str, str]], width: int) -> Strip:
        fitted = fit_cells(parts, width, self._glyphs.ellipsis)
        return Strip(
            [self._part(text, "axis" if name == "text" else name) for text, name in fitted], width
        )

    def _legend(self, width: int) -> list[Strip]:
        """Draw the legend, with the current rate of each series."""
        parts: list[tuple[str, str]] = []
        for series in self._series:
            newest = f" {units.rate(series.rate)}" if series.values else ""
            if not series.complete:
                newest = f" {units.UNKNOWN}"
            stroke = self._glyphs.bar[-1] if self._glyphs.name == "ascii" else "━"
            parts += [(f"{stroke} ", series.style), (f"{series.name}{newest}  ", "axis")]
        return [self._line(parts, width)]

    def _blocks(self, width: int, height: int) -> list[Strip]:
        """Draw each series as columns on one scale: the first in all remaining lines."""
        top = max((max(series.values, default=0.0) for series in self._series), default=0.0)
        shown = self._series[: max(1, height)]
        lines: list[Strip] = []
        for number, series in enumerate(shown):
            rows = max(1, height - len(shown) + 1) if number == 0 else 1
            room = max(1, width - LABEL_WIDTH)
            values = resampled(series.values, room)
            for row in reversed(range(rows)):
                # Each row is a sparkline of its own slice of the scale.
                low, high = top * row / rows, top * (row + 1) / rows
                part = [value if value > low or not row else None for value in values]
                columns = spark(part, room, self._glyphs, floor=low, ceiling=high)
                label = (series.name if not row else "").ljust(LABEL_WIDTH - 1)[
                    : LABEL_WIDTH - 1
                ] + " "
                lines.append(self._line([(label, "axis"), (columns, series.style)], width))
        return lines

    def _plot(self, plotext: Any, width: int, height: int) -> list[Strip]:
        text = Text.from_ansi(self._figure(plotext, width, height))
        styles = [self._rich(series.style) for series in self._series]
        axis = self._rich("axis")
        lines: list[Strip] = []
        for line in text.split("\n")[:height]:
            segments = [Segment(part, _styled(style, styles, axis)) for part, style in _runs(line)]
            lines.append(Strip(segments).adjust_cell_length(width, self.rich_style))
        return lines

    def _figure(self, plotext: Any, width: int, height: int) -> str:
        """Build a separate figure: plotext's default one is shared by the whole process."""
        terminal = type(plotext.terminal)()
        terminal.limit(False, False)
        figure = type(plotext.figure)(terminal)
        figure.plot_size(width, height)
        figure.canvas("default")
        figure.legend(False)
        figure.axes(False, axis=0, side=1)
        figure.axes(False, axis=1, side=1)
        top = max((max(series.values, default=0.0) for series in self._series), default=0.0)
        top = _round_up(top)
        columns = max(2, (width - 8) * 2)
        for number, series in reversed(list(enumerate(self._series))):
            values = resampled(series.values, columns)
            marker = plotext.marker(
                "braille", plotext.pixel(_PLOT_COLOURS[number % len(_PLOT_COLOURS)])
            )
            line = figure.signal(list(range(len(values))), values, marker=marker)
            figure.draw(line.lines())
        figure.ruler(1, 0).lim(0, top).ticks(
            [0, top / 2, top], [_tick(0), _tick(top / 2), _tick(top)]
        )
        figure.ruler(0, 0).lim(0, columns - 1).ticks([0, columns - 1], [self._begin, "now"])
        return str(figure.build().string())


def resampled(values: Sequence[float], count: int) -> list[float]:
    """Return at most `count` values: the largest of each interval, so that no peak is lost."""
    size = len(values)
    if size <= count:
        return list(values)
    edges = [size * number // count for number in range(count + 1)]
    return [max(values[start:end]) for start, end in pairwise(edges)]


def _runs(line: Text) -> list[tuple[str, str]]:
    """Split a line where its colour changes; no colour is an empty string."""
    runs: list[tuple[str, str]] = []
    at = 0
    for span in sorted(line.spans, key=lambda span: span.start):
        if span.start > at:
            runs.append((line.plain[at : span.start], ""))
        runs.append((line.plain[span.start : span.end], str(span.style).split(" on ")[0]))
        at = span.end
    if at < len(line.plain):
        runs.append((line.plain[at:], ""))
    return runs


def _styled(colour: str, styles: Sequence[Style], axis: Style) -> Style:
    number = _SERIES_NUMBERS.get(colour)
    return styles[number] if number is not None and number < len(styles) else axis


def _round_up(top: float) -> float:
    """Return the next round number (1, 2 or 5 times a power of ten), at least 1."""
    size = 1.0
    while True:
        for factor in (1, 2, 5):
            if top <= size * factor:
                return size * factor
        size *= 10


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
