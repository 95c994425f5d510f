"""Labels with their values, in two columns where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from .colours import COLOURS
from .glyphs import UNICODE, Glyphs
from .table.cells import fit

MIN_TWO_COLUMN_WIDTH: Final = 100
GAP: Final = 2
MAX_LABEL_WIDTH: Final = 24


@dataclass(frozen=True, slots=True)
class Field:
    """A label and its value; the style is a key of `COLOURS`."""

    label: str
    value: str
    style: str = "text"


class Fields(Widget):
    """A list of fields, one line each, cut to the width."""

    DEFAULT_CSS = "Fields { height: auto; width: 1fr; }"

    def __init__(
        self,
        fields: Sequence[Field] = (),
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self.fields = tuple(fields)
        self._glyphs = glyphs
        self._columns = 1
        self._found: str | None = None
        """The label of the field that a search has found."""

    def show(self, fields: Sequence[Field]) -> None:
        """Show these fields; only a different number of them needs a layout."""
        fields = tuple(fields)
        if fields != self.fields:
            layout = len(fields) != len(self.fields)
            self.fields = fields
            self.refresh(layout=layout)

    @property
    def needed_width(self) -> int:
        """The cells that a column of whole labels and values takes."""
        labels = max((cell_len(field.label) for field in self.fields), default=0)
        values = max((cell_len(field.value) for field in self.fields), default=0)
        return min(labels, MAX_LABEL_WIDTH) + GAP + values

    def search_lines(self) -> list[str]:
        """Return label and value of each field."""
        return [f"{field.label}  {field.value}" for field in self.fields]

    def show_match(self, line: int, start: int, end: int) -> int:
        """Highlight the label of a field; return its y."""
        self._found = self.fields[line].label if line < len(self.fields) else None
        self.refresh()
        return line % max(1, -(-len(self.fields) // self._columns))

    def hide_match(self) -> None:
        """Remove the highlight."""
        if self._found is not None:
            self._found = None
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines at a width."""
        columns = _columns(width)
        return -(-len(self.fields) // columns)

    def on_resize(self, event: events.Resize) -> None:
        """Lay out again if the number of columns changes."""
        columns = _columns(event.size.width)
        if columns != self._columns:
            self._columns = columns
            self.refresh(layout=True)

    def render(self) -> Content:
        """Draw the fields, first down the left column, then down the right one."""
        width = self.size.width
        columns = _columns(width)
        height = -(-len(self.fields) // columns)
        labels = max((cell_len(field.label) for field in self.fields), default=0)
        labels = min(labels, MAX_LABEL_WIDTH, max(1, width // 2))
        room = (width - GAP * (columns - 1)) // columns
        lines = [
            Content.assemble(
                *(
                    part
                    for number in range(y, len(self.fields), height)
                    for part in self._parts(self.fields[number], labels, room, number >= height)
                )
            )
            for y in range(height)
        ]
        return Content("\n").join(lines)

    def _parts(self, field: Field, labels: int, room: int, second: bool) -> list[tuple[str, str]]:
        ellipsis = self._glyphs.ellipsis
        label = " " * GAP * second + fit(field.label, labels, ellipsis) + " " * GAP
        value = fit(field.value, max(1, room - labels - GAP), ellipsis)
        found = field.label == self._found
        return [(label, "reverse" if found else "$text-muted"), (value, COLOURS[field.style])]


def wrapped(fields: Sequence[Field], width: int) -> list[Field]:
    """Return fields whose values are wrapped to a width in cells, further lines without a label."""
    labels = max((cell_len(field.label) for field in fields), default=0)
    room = max(10, width - min(labels, MAX_LABEL_WIDTH, max(1, width // 2)) - GAP)
    return [
        Field("" if number else field.label, line, field.style)
        for field in fields
        for number, line in enumerate(wrap(field.value, room) or [""])
    ]


def _columns(width: int) -> int:
    return 2 if width >= MIN_TWO_COLUMN_WIDTH else 1
