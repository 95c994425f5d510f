"""A chart: areas over time with a grid, axes, the current values, marks and a cursor."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import groupby
from operator import itemgetter
from types import ModuleType
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from ..compat.component_style import component_style
from ..compat.line_strip import LineStrip
from ..compat.textual_internals import LazyComponents
from ..glyphs import UNICODE, Glyphs
from ..table.cells import fit_cells
from .axis import ticks, time_ticks
from .chart_data import EMPTY, ChartData
from .grid import add_grid, marks_by_column, number_labels, time_labels
from .legend import GAP, Entry, legend
from .plot import BLANK, Cell, drawn_steps, fill, highest, plot

MIN_AXIS_WIDTH: Final = 32
"""Cells under which a chart has no axis of values."""
MIN_TIMES_ROWS: Final = 5
"""Lines from which a chart has an axis of times."""
MAX_BASES: Final = 20
"""Own styles of charts, in all themes, for which the styles of layers are kept."""
MAX_INLINE_LEGEND: Final = 0.4
"""Part of the width that the legend may take beside a chart of one line."""


class Chart(LazyComponents):
    """A chart of any size, from one line up; redrawn only for other data or another size."""

    STYLES: ClassVar[tuple[str, ...]] = (
        "ok", "retry", "failed", "first", "second", "third", "fourth", "rest", "past",
    )  # fmt: skip
    """The styles of layers."""

    imported: ClassVar[ModuleType | None] = None
    """plotext, once a chart has imported it."""

    started: ClassVar[bool] = False
    """Whether any chart is drawn: the very first frame does not wait for its charts."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"chart--{name}" for name in STYLES),
        "chart--axis",
        "chart--grid",
        "chart--cursor",
    }

    DEFAULT_CSS = """
    Chart {
        height: 1fr;
        width: 1fr;
        & > .chart--ok { color: $success 75%; }
        & > .chart--retry { color: $state-retry; }
        & > .chart--failed { color: $error; }
        & > .chart--first { color: $primary 75%; }
        & > .chart--second { color: $accent 75%; }
        & > .chart--third { color: $secondary 75%; }
        & > .chart--fourth { color: $warning 75%; }
        & > .chart--rest { color: $text-muted; }
        & > .chart--past { color: $foreground 85%; }
        & > .chart--axis { color: $text-muted; }
        & > .chart--grid { color: $foreground 20%; }
        & > .chart--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    Chart:ansi {
        & > .chart--ok { color: $success; }
        & > .chart--second { color: $accent; }
        & > .chart--third { color: $secondary; }
        & > .chart--fourth { color: $warning; }
        & > .chart--grid { color: $text-muted; }
        & > .chart--past { color: $text-muted; }
        & > .chart--retry { color: ansi_magenta; }
        & > .chart--first { color: ansi_bright_blue; }
        & > .chart--cursor { text-style: reverse; }
    }
    """

    @dataclass
    class TimeChosen(Message):
        """A column was clicked: the epoch seconds of its middle."""

        chart: Chart
        at: float
        twice: bool
        """Whether it was a double click."""

        @property
        def control(self) -> Chart:
            """The chart."""
            return self.chart

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs
        self._data = EMPTY
        self._version: object = None
        self._current: Sequence[str] = ()
        self._cursor: float | None = None
        self._plotext: ModuleType | None = None
        self._drawn: tuple[object, list[Strip]] = (None, [])
        """The lines below the legend, and for what they were drawn."""
        self._legend_line: Strip | None = None
        self._styles: dict[str, Style] | None = None
        """The styles by name, shared with other charts; None after a change of style."""
        self._left = 0
        """Cells left of the plot."""
        self._columns = 0
        """The width of the plot in cells; 0 before it is drawn."""

    def show(self, data: ChartData, version: object, current: Sequence[str] = ()) -> None:
        """Show data.

        Args:
            data: The data.
            version: Any value that differs when the data differ.
            current: The value of each layer for the legend, if not the newest one drawn.
        """
        if not self.shows(version):
            self._data, self._version, self._current = data, version, current
            if any(layer.is_line for layer in data.layers):
                self._import_plotext()
            self.refresh()
        else:
            self.show_current(current)

    def _import_plotext(self) -> None:
        """Import plotext beside the screen, unless it is there or in ASCII."""
        if self._plotext is None and self._glyphs.name != "ascii":
            # Not from `sys.modules`: the thread of another chart may still be importing it.
            self._plotext = Chart.imported
            if self._plotext is None and self.is_attached:
                self._import_in_thread()

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _import_in_thread(self) -> None:
        Chart.imported = module = import_module("plotext")
        self.app.call_from_thread(self._imported, module)

    def _imported(self, module: ModuleType) -> None:
        self._plotext = module
        self.refresh()

    @property
    def data(self) -> ChartData:
        """The data that it shows."""
        return self._data

    def shows(self, version: object) -> bool:
        """Return whether it shows this version of the data."""
        return version == self._version

    def show_current(self, current: Sequence[str]) -> None:
        """Show other values in the legend, which are not drawn."""
        if current != self._current:
            self._current = current
            self._legend_line = None
            self.refresh(Region(0, 0, self.size.width, 1))

    @property
    def cursor(self) -> float | None:
        """The epoch seconds at the cursor; None without one."""
        return self._cursor

    @cursor.setter
    def cursor(self, at: float | None) -> None:
        if at != self._cursor:
            self._cursor = at
            self.refresh()

    @property
    def start(self) -> float:
        """The epoch seconds at the left edge."""
        return self._data.start

    @property
    def end(self) -> float:
        """The epoch seconds at the right edge."""
        return self._data.end

    @property
    def seconds_per_column(self) -> float:
        """The time that a column of the chart stands for, or a step if it is not drawn yet."""
        steps = len(self._data.layers[0].values) if self._data.layers else 1
        return self._data.seconds / (self._columns or max(1, steps))

    def notify_style_update(self) -> None:
        """Redraw in the new styles."""
        self._drawn = (None, [])
        self._styles = None
        super().notify_style_update()

    def on_click(self, event: events.Click) -> None:
        """Post the time of the column."""
        offset = event.get_content_offset(self)
        if offset is None or not self._data.layers:
            return
        column = offset.x - self._left
        if 0 <= column < self._columns:
            event.stop()
            at = self._data.start + (column + 0.5) * self.seconds_per_column
            self.post_message(self.TimeChosen(self, at, event.chain == 2))

    def render_line(self, y: int) -> Strip:
        """Return a line of the chart."""
        if not Chart.started and self.size.height > 1:
            if y == 0:
                self.call_after_refresh(self._start)
            return Strip.blank(self.size.width, self._style(""))
        key = (self.size, self._version, self._cursor, self._plotext is None)
        if self._drawn[0] != key:
            self._legend_line = None
            self._drawn = (key, self._draw())
        if y == 0 and self._legend_line is None:
            self._legend_line = self._draw_first_line()
        lines = self._drawn[1]
        if y == 0 and self._legend_line is not None:
            return self._legend_line
        return (
            lines[y - 1] if 0 < y <= len(lines) else Strip.blank(self.size.width, self._style(""))
        )

    def _start(self) -> None:
        Chart.started = True
        self.refresh()

    # Drawing

    def _draw(self) -> list[Strip]:
        """Draw the lines below the first."""
        width, height = self.size
        self._left = 0
        if not width or height <= 1 or not self._data.layers:
            return []
        if not self._data.has_values:
            return self._draw_no_data(width, height - 1)
        has_times = height >= MIN_TIMES_ROWS
        rows = height - 1 - has_times
        numbers = ticks(highest(self._data.layers), rows, self._data.unit)
        top = numbers[-1]
        labels = number_labels(numbers, rows, self._data.unit) if width >= MIN_AXIS_WIDTH else {}
        self._left = len(next(iter(labels.values()), ""))
        room = self._columns = max(1, width - self._left)
        cells = plot(
            self._data.layers, room, rows, top, self._glyphs,
            coloured=self._coloured, plotext=self._plotext, newest_alone=self._data.newest_alone,
        )  # fmt: skip
        times = time_ticks(self._data.start, self._data.end, room, self._data.tz)
        marks = marks_by_column(self._data, self.seconds_per_column)
        add_grid(cells, {column for column, _ in times}, set(labels), marks, self._glyphs)
        self._add_cursor(cells)
        blank = " " * self._left
        lines = [
            self._strip([(labels.get(row, blank), "axis"), *line], width)
            for row, line in enumerate(cells)
        ]
        if has_times:
            lines.append(
                self._strip([(blank, "axis"), *time_labels(self._data, times, room)], width)
            )
        return lines

    def _draw_no_data(self, width: int, rows: int) -> list[Strip]:
        """Draw no axes, whose scale would be invented, but that there are no values."""
        self._columns = width
        lines: list[list[Cell]] = [[] for _ in range(rows)]
        lines[(rows - 1) // 2].append((self._data.no_values.center(width), "axis"))
        return [self._strip(line, width) for line in lines]

    def _draw_first_line(self) -> Strip | None:
        """Draw the legend; in one line, also the areas."""
        width, height = self.size
        if not width or not self._data.layers:
            return None
        if height > 1:
            return self._strip(self._legend(width), width)
        legend = self._legend(int(width * MAX_INLINE_LEGEND)) if width >= MIN_AXIS_WIDTH else []
        room = width - sum(len(text) for text, _ in legend) - bool(legend)
        self._columns = max(1, room)
        layers = self._data.layers
        cells = plot(
            layers, room, 1, highest(layers), self._glyphs,
            coloured=self._coloured, newest_alone=self._data.newest_alone,
        )  # fmt: skip
        self._add_cursor(cells)
        return self._strip([*cells[0], *([BLANK] if legend else []), *legend], width)

    @property
    def _coloured(self) -> bool:
        return not self.app.no_color

    def _style(self, name: str) -> Style:
        """Return a style; of `lower/upper`, the upper one is the background."""
        if self._styles is None:
            variables = frozenset(self.app.theme_variables.items())
            self._styles = _styles_on(self.rich_style, self.app.theme, variables)
        found = self._styles.get(name)
        if found is None:
            lower, _, upper = name.partition("/")
            if upper:
                found = self._style(lower) + Style(bgcolor=self._style(upper).color)
            elif f"chart--{name}" in self.COMPONENT_CLASSES:
                found = self._style("") + component_style(self, f"chart--{name}")
            else:
                found = self._style("") if name else self.rich_style
            self._styles[name] = found
        return found

    def _strip(self, cells: Sequence[Cell], width: int) -> Strip:
        """Join cells of one style, which are then checked and fitted together."""
        joined = [
            ("".join(text for text, _ in run), style)
            for style, run in groupby(cells, key=itemgetter(1))
        ]
        fitted = fit_cells(joined, width, self._glyphs.ellipsis)
        return LineStrip([Segment(text, self._style(style)) for text, style in fitted], width)

    def _legend(self, width: int) -> list[Cell]:
        """Return the name of each layer with the value drawn at the cursor, or the newest."""
        entries: list[Entry] = []
        step = None if self._cursor is None else self._drawn_step(self._cursor)
        for number, layer in enumerate(self._data.layers):
            stroke = "-" if self._glyphs.name == "ascii" else "─"
            key = stroke if layer.is_line else fill(number, self._glyphs, coloured=self._coloured)
            if self._cursor is None and number < len(self._current):
                value = self._current[number]
            else:
                value = self._data.value(layer, step)
            entries.append(Entry(key, layer.name, value, layer.style))
        time = "" if self._cursor is None else self._data.time(self._cursor)
        cells = legend(entries, time, width)
        note = "" if time else self._data.note
        if note and sum(len(text) for text, _ in (*cells, GAP)) + len(note) <= width:
            cells += [GAP, (note, "axis")]
        return cells

    def _drawn_step(self, at: float) -> int:
        """Return the step that is drawn at a time: one of several that a column stands for."""
        column = self._column(at)
        steps = drawn_steps(self._data.layers, self._columns, newest_alone=self._data.newest_alone)
        return steps[column] if 0 <= column < len(steps) else self._data.step(at)

    def _column(self, at: float) -> int:
        """Return the column of a time; it may lie outside."""
        return int((at - self._data.start) // self.seconds_per_column)

    def _add_cursor(self, cells: list[list[Cell]]) -> None:
        if self._cursor is None:
            return
        x = self._column(self._cursor)
        if 0 <= x < len(cells[0]):
            line_glyph = "|" if self._glyphs.name == "ascii" else "│"
            for line in cells:
                area = line[x][1].partition("/")[2]
                line[x] = (line_glyph, f"cursor/{area}" if area else "cursor")


@lru_cache(maxsize=MAX_BASES)
def _styles_on(base: Style, theme: str, variables: Set[tuple[str, str]]) -> dict[str, Style]:
    """Return the styles of all charts with the same own style, to be completed."""
    return {}
