"""Two tasks, workers or task types side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from ...model.text.phrases import short_id
from ...model.text.sanitize import visible
from ...widgets.charts.chart_data import ChartData
from ...widgets.fields import Field
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..charts import charts
from ..charts.charts import Build
from ..context import AppContext
from ..details.compare import Comparable, ComparedRow, compared, distinct_parts
from ..navigation import Location
from ..panes.preview import Previewed
from ..screens.base.row_lists import RowListScreen

VALUE_WIDTH: Final = 22
"""Cells of each value in a narrow terminal, where the names of fields are whole."""

_KEYS: Final[Mapping[str, Callable[[ComparedRow], Any]]] = {
    "differs": lambda row: row.differs,
    "field": lambda row: row.id,
}


def _named(
    build: Callable[[AppContext, str], ChartData], name: str, context: AppContext
) -> ChartData:
    """Return a chart whose first layer names its worker or task type."""
    data = build(context, name)
    first, *others = data.layers
    named = replace(first, name=f"{first.name} of {visible(name)}")
    return replace(data, layers=(named, *others))


class CompareScreen(RowListScreen[ComparedRow]):
    """The fields of both, the different ones first."""

    LIST = "compare"
    ORDER = ("differs", True)
    FAULTS = "differences only"
    EMPTY = "No longer in memory"
    QUESTION = ""
    KEYS = _KEYS
    PREVIEWS = True
    PREVIEW_LINES = 6

    def __init__(self, context: AppContext, location: Location) -> None:
        self.kind, left, right = json.loads(location.path[-1].subject)
        self.names = (left, right)
        self._last: list[Comparable | None] = [None, None]
        super().__init__(context, location)

    @property
    def _held(self) -> Mapping[str, Comparable]:
        """What is in memory, at the time that is shown."""
        state = self.context.state
        held: dict[str, Mapping[str, Comparable]] = {
            "task": state.tasks,
            "worker": state.workers,
            "type": state.types,
        }
        return held[self.kind]

    def columns(self) -> tuple[Column[ComparedRow], ...]:
        """Return the field, and its value on both sides."""

        def sign(row: ComparedRow, frame: Frame) -> Cell:
            unequal = "!=" if frame.glyphs.name == "ascii" else "≠"
            return unequal if row.differs else "", "warn"

        def field(row: ComparedRow, frame: Frame) -> Cell:
            return row.id, "warn" if row.differs else "muted"

        def side(row: ComparedRow, text: str) -> Cell:
            return text, "text" if row.differs else "muted"

        def value(id_: str, title: str, text: Callable[[ComparedRow], str]) -> Column[ComparedRow]:
            return Column(
                id_, title, VALUE_WIDTH, lambda row, _: side(row, text(row)), grow=1, equal=True
            )

        left, right = map(visible, self.names)
        left, right = distinct_parts(left, right, self.context.glyphs.ellipsis)
        return (
            Column("differs", "Diff", 5, sign, sort_key="differs", descending=True),
            Column("field", "Field", 24, field, grow=1, sort_key="field"),
            value("left", left, lambda row: row.left),
            value("right", right, lambda row: row.right),
        )

    def source(self) -> Iterable[ComparedRow]:
        """Return all fields of both; a side that is no longer in memory keeps its last values."""
        for number, name in enumerate(self.names):
            self._last[number] = self._held.get(name) or self._last[number]
        left, right = self._last
        if left is None or right is None:
            return []
        return compared(left, right, self.context.state, self.context.frame())

    def row_version(self, row: ComparedRow) -> object:
        """Return the values."""
        return row.left, row.right

    def row_text(self, row: ComparedRow) -> str:
        """Return the field and both values."""
        return f"{row.id} {row.left} {row.right}"

    def previewed(self, row: ComparedRow) -> Previewed:
        """Return both values in full."""
        style = "warn" if row.differs else "text"
        fields = [
            Field(short_id(name) if self.kind == "task" else visible(name), value or "none", style)
            for name, value in zip(self.names, (row.left, row.right), strict=True)
        ]
        return Previewed(row.id, row.id, fields, self._charts(), wraps=True, stacks=True)

    def _charts(self) -> Sequence[Build]:
        """Return a chart of each side: busy slots of a worker, run times of a task type."""
        build = charts.worker_busy if self.kind == "worker" else charts.type_runtimes
        sides = (getattr(one, "name", None) for one in self._last)
        return [partial(_named, build, name) for name in dict.fromkeys(filter(None, sides))]

    def faulty(self, row: ComparedRow) -> bool:
        """Return whether the values differ."""
        return row.differs

    def notes(self) -> Sequence[Part]:
        """Return how many fields differ, and which side is no longer in memory."""
        different = sum(row.differs for row in self.rows)
        style = "$text-warning" if different else "$text-muted"
        gone = [name for name in self.names if name not in self._held]
        counted = Part(f"{different} differ", style, 1 if gone else 0)
        if not gone:
            return [counted]
        name = short_id(gone[0]) if self.kind == "task" else visible(gone[0])
        which = f"{name} " if len(gone) == 1 else ""
        return [counted, Part(f"{which}no longer in memory", "$text-warning")]

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Show both values of a field in full."""
        from ..dialogs.text import TextDialog

        row = self.rows.get(message.row_id)
        if row is not None:
            parts = zip(self.names, (row.left, row.right), strict=True)
            text = "\n\n".join(f"{name}\n{value or '(none)'}" for name, value in parts)
            self.app.push_screen(TextDialog(row.id, text))
