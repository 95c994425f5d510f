"""The selected row of a list: its numbers, and its last minutes as charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isnan
from typing import Final, TypeVar

from textual.containers import Horizontal

from ...model.text.sanitize import visible
from ...widgets.charts.chart import Chart
from ...widgets.fields import (
    MAX_COLUMNS,
    MIN_TWO_COLUMN_WIDTH,
    Field,
    Fields,
    needed_width,
)
from ...widgets.table.cells import is_single, plain
from ...widgets.table.column import Column, Frame
from ...widgets.tile import Tile
from ..charts import charts
from ..charts.charts import Build
from ..context import AppContext

R = TypeVar("R")

MIN_SCREEN_HEIGHT: Final = 30
"""Lines of the terminal below which it is shown only in lines that the list does not need."""
MIN_LINES: Final = 12
"""Lines that it takes at least in a high terminal."""
MIN_ROOM: Final = 16
"""Lines from which a list gives some to texts below it."""
FRAME_LINES: Final = 2
"""Lines of the frame."""
MIN_SPARE_LINES: Final = 4
"""Fewer lines that the list does not need are left blank."""
MIN_LOW_CHART_LINES: Final = 4
"""Lines in which a chart beside numbers can still be read; in fewer they take its room."""
MIN_CHART_WIDTH: Final = 50
MIN_CHART_LINES: Final = 9
"""What each chart needs; one that does not fit beside or below the others is not shown."""
FIELDS_WIDTH: Final = 48
"""Cells that the fields take beside a chart, at most."""
MAX_WIDE_FIELDS_WIDTH: Final = 64
"""In a wide terminal."""
FIELDS_STEP: Final = 8
"""Cells by which the fields take more, so that no chart jumps."""
FIELDS_MARGIN: Final = 2
"""Blank cells between the fields and the chart."""
MAX_FIELDS_WIDTH: Final = 52
MIN_NARROW_CHART_WIDTH: Final = 26
"""In a narrow terminal the chart gives room to the values, which would be cut."""
MIN_HIGH_LINES: Final = 24
"""Lines from which charts are below the numbers, if these would leave a third of them blank."""
WRAPPED_LINES: Final = 2
"""Lines that wrapped values take beyond one for each field."""
_MAX_CHARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Previewed:
    """The part of a row that is shown."""

    id: str
    title: str
    fields: Sequence[Field]
    charts: Sequence[Build]
    """The most important first."""
    wraps: bool = False
    """Whether the fields are texts, which are wrapped, and take the room of charts."""
    stacks: bool = False
    """Whether charts are below the fields if there is room, and not beside them."""


def column_fields(columns: Sequence[Column[R]], row: R, frame: Frame) -> list[Field]:
    """Return the whole texts of a row's cells, also of columns that are cut or left out."""
    fields = []
    for column in columns:
        content = column.cell(row, frame)
        style = content[1] if is_single(content) else next((str(one[1]) for one in content), "text")
        fields.append(Field(column.title, visible(plain(content)), style))
    return fields


def spare_lines(room: int, rows: int) -> int:
    """Return the lines that a list leaves to texts below it; 0 if they are few.

    `room` is the lines that both have; `rows` is the rows of the list, which also has titles.
    """
    spare = room - rows - 1
    return spare if rows and spare >= MIN_SPARE_LINES else 0


class Preview(Tile):
    """The pane below a list."""

    DEFAULT_CSS = """
    Preview {
        display: none;
        &.-shown { display: block; }
        &.-shown.-hidden { display: none; }
        & Horizontal { height: 1fr; }
        & Fields { width: 48; margin-right: 2; }
        &.-text Fields { width: 1fr; max-width: 99; }
        &.-text Horizontal > Horizontal { width: 1fr; }
        & Chart { width: 1fr; height: 1fr; margin-right: 1; }
        &.-stacked > Horizontal { layout: vertical; }
        &.-stacked Fields { width: 100%; max-width: 100%; height: auto; margin-right: 0; }
        &.-stacked Horizontal > Horizontal { width: 100%; height: 1fr; }
    }
    """

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self.fields = Fields(glyphs=context.glyphs, max_columns=1)
        self.charts = [Chart(glyphs=context.glyphs) for _ in range(_MAX_CHARTS)]
        self._chosen_for: object = None
        self._chosen: Sequence[int] = (0,)
        """The places of the charts that have values."""
        self._shown: Previewed | None = None
        self._most_lines = 0, 0
        """The most lines that texts have needed, after the width at which they did."""
        self._box = Horizontal(*self.charts)
        super().__init__(
            Horizontal(self.fields, self._box), glyphs=context.glyphs, id="preview",
            classes="pane",
        )  # fmt: skip
        self.can_focus = False

    def fit(self, screen_height: int, room: int, rows: int) -> None:
        """Take the lines that the list does not need; in a high terminal at least a third.

        Args:
            screen_height: Lines of the terminal.
            room: Lines that list and preview have together.
            rows: Rows of the list; it also has titles.
        """
        spare, high = room - rows - 1, screen_height >= MIN_SCREEN_HEIGHT
        self.set_own_class(rows > 0 and (high or spare >= MIN_SPARE_LINES), "-shown")
        lines = max(MIN_LINES, room // 3, spare) if high else spare
        self.styles.height = lines

    def fit_texts(self, shown: Previewed | None, room: int, rows: int, least: int) -> None:
        """Take the lines that texts need, of those that the list does not need.

        A chart beside them takes all of these.

        Args:
            shown: What will be shown; None if there is no room.
            room: Lines that list and preview have together.
            rows: Rows of the list; it also has titles.
            least: Lines to take even if the list needs them, unless both have few. Fewer until a
                text has needed them: the list moves once, not with each row.
        """
        self.fields.wraps = True
        lines = spare = room - rows - 1
        if shown is not None:
            self.fields.show(shown.fields)
            needed = self._most_needed(self.fields.lines + FRAME_LINES)
            beside = self.size.width // 2 >= MIN_CHART_WIDTH and spare >= MIN_CHART_LINES
            if not (beside and self._filled(shown)):
                lines = min(self.fields.lines + FRAME_LINES, spare)
            least = min(least, needed)
        if room >= MIN_ROOM:
            lines = max(lines, least)
        fits = shown is not None and rows > 0 and lines > FRAME_LINES
        self.set_own_class(fits, "-shown")
        if fits:
            self.styles.height = lines

    def on_resize(self) -> None:
        """Show the row again: more or fewer of its fields have room."""
        self.paint(self._shown)

    def _most_needed(self, lines: int) -> int:
        """Return the most lines that a text has needed at the present width."""
        width, most = self._most_lines
        if width == self.size.width:
            lines = max(lines, most)
        self._most_lines = self.size.width, lines
        return lines

    def paint(self, shown: Previewed | None) -> None:
        """Show a row, as soon as its size is known."""
        self._shown = shown
        if not self.has_class("-shown") or not self.size:
            return
        if shown is None:
            self.show("idle", "", "")
            self.fields.show(())
            return
        width, height = self.size
        low = not shown.wraps and height < MIN_LOW_CHART_LINES
        self.set_class(shown.wraps or low, "-text")
        builds = self._filled(shown)
        stacked = bool(builds) and self._stacks(shown, width, height)
        self.set_class(stacked, "-stacked")
        self.fields.max_columns = MAX_COLUMNS if stacked or low else 1
        fields = shown.fields if shown.wraps or low else shown.fields[: max(1, height)]
        beside_chart = self._wide_width(fields)
        taken = width // 2 if shown.wraps else beside_chart
        self.fields.wraps = shown.wraps
        # The labels of values below the last line take no room.
        self.fields.show(fields)
        hidden = len(shown.fields) - len(fields) + max(0, self.fields.lines - max(1, height))
        self.show("idle", visible(shown.title), f"{hidden} more" if hidden else "")
        if stacked:
            taken, height = 0, MIN_CHART_LINES
        beside, below = (width - taken) // MIN_CHART_WIDTH, height // MIN_CHART_LINES
        if shown.wraps or stacked or low:
            if self.fields.styles.inline.has_rule("width"):  # otherwise it is a layout each time
                self.fields.styles.width = None
        else:
            self.fields.styles.width = beside_chart if beside > 0 else self._narrow_width()
        self._box.styles.layout = "horizontal" if beside >= below else "vertical"
        fitting = min(len(builds), max(1, beside, below))
        # Texts need the room of a chart that does not fit beside them.
        fits = (beside and below) if shown.wraps else not low
        self._box.display = bool(fitting and fits)
        for number, chart in enumerate(self.charts):
            chart.display = number < fitting
            if chart.display:
                place, build = builds[number]
                charts.show(chart, f"{place} {shown.id}", build, self.context)

    def _stacks(self, shown: Previewed, width: int, height: int) -> bool:
        """Return whether charts are below the fields, not beside blank lines."""
        count = len(shown.fields)
        wide = width >= MIN_TWO_COLUMN_WIDTH
        blank = not shown.wraps and height >= max(MIN_HIGH_LINES, count * 3 // 2)
        lines = ceil(count / 2) + WRAPPED_LINES + MIN_CHART_LINES
        return wide and height >= lines and (shown.stacks or blank)

    def _filled(self, shown: Previewed) -> Sequence[tuple[int, Build]]:
        """Return the charts with values, each with its place; beside numbers at least one."""
        key = shown.id, self.context.state.series.newest, self.context.chart_seconds
        if key != self._chosen_for:
            self._chosen_for = key
            places = [
                place
                for place, build in enumerate(shown.charts)
                if any(
                    not isnan(value) for one in build(self.context).layers for value in one.values
                )
            ]
            self._chosen = places if places or shown.wraps else [0]
        return [(place, shown.charts[place]) for place in self._chosen if place < len(shown.charts)]

    def _wide_width(self, fields: Sequence[Field]) -> int:
        """Return the cells that the fields take beside a wide chart, in steps: no chart jumps."""
        needed = needed_width(fields) + FIELDS_MARGIN
        most = max(FIELDS_WIDTH, min(MAX_WIDE_FIELDS_WIDTH, self.size.width // 2))
        return min(most, -(-needed // FIELDS_STEP) * FIELDS_STEP)

    def _narrow_width(self) -> int:
        """Return the cells that the fields take beside a narrow chart: half, or what they need."""
        width = self.size.width
        most = min(MAX_FIELDS_WIDTH, width - MIN_NARROW_CHART_WIDTH)
        return min(max(width // 2, self.fields.needed_width), most)
