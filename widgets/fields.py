"""Labels with their values, in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from ..model.text.sanitize import visible
from .colours import COLOURS
from .glyphs import UNICODE, Glyphs
from .table.cells import fit
from .wrapping import wrap

MIN_TWO_COLUMN_WIDTH: Final = 100
"""Cells from which there are always two columns."""
MIN_COLUMN_WIDTH: Final = 36
"""Cells of each column, if more of them take fewer lines."""
MAX_SHARE: Final = 0.7
"""The share of the lines to which a further column must reduce them."""
MAX_COLUMNS: Final = 3
GAP: Final = 2
"""Blank cells between labels, values and columns."""
MAX_LABEL_WIDTH: Final = 24
"""Cells; a longer label is cut."""
STEP: Final = 2
"""Cells by which a column takes from another, so that changing numbers do not move it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A label and its value; the style is a key of `COLOURS`."""

    label: str
    value: str
    style: str = "text"


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A line on the screen: a label with a value, or with a part of it."""

    label: str
    value: str
    style: str
    field: int
    """The index of the field."""


class Fields(Widget):
    """A list of fields, whose values are wrapped to the width."""

    DEFAULT_CSS = "Fields { height: auto; width: 1fr; }"

    def __init__(
        self,
        fields: Sequence[Field] = (),
        *,
        glyphs: Glyphs = UNICODE,
        max_columns: int = MAX_COLUMNS,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self.fields = tuple(fields)
        self.wraps = True
        """Whether long values are wrapped; otherwise they are cut."""
        self._glyphs = glyphs
        self.max_columns = max_columns
        self._arranged: tuple[object, list[list[FieldLine]], list[int]] | None = None
        """The lines of each column, and its cells, for a width."""
        self._found: str | None = None
        """The label of the field that a search has found."""

    def show(self, fields: Sequence[Field]) -> None:
        """Show these fields; only a different number of lines needs a layout."""
        fields = tuple(fields)
        if fields != self.fields:
            before = self.lines
            self.fields = fields
            self.refresh(layout=self.lines != before)

    @property
    def needed_width(self) -> int:
        """The cells that a column of whole labels and values takes."""
        return needed_width(self.fields)

    def search_lines(self) -> list[str]:
        """Return label and value of each field."""
        return [f"{field.label}  {field.value}" for field in self.fields]

    def show_match(self, line: int, start: int, end: int) -> int:
        """Highlight the label of a field; return its y."""
        self._found = self.fields[line].label if line < len(self.fields) else None
        self.refresh()
        lines = (each for column in self.columns(self.size.width) for each in enumerate(column))
        return next((y for y, shown in lines if shown.field == line), 0)

    def hide_match(self) -> None:
        """Remove the highlight."""
        if self._found is not None:
            self._found = None
            self.refresh()

    @property
    def lines(self) -> int:
        """The number of lines at the present width."""
        return self._height(self.size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines at a width."""
        return self._height(width)

    def _height(self, width: int) -> int:
        if width <= 0:  # before the first layout
            return len(self.fields)
        return max(map(len, self.columns(width)), default=0)

    def columns(self, width: int) -> list[list[FieldLine]]:
        """Return the lines of each column at a width in cells: whole fields, in their order."""
        return self._placed(width)[0]

    def _placed(self, width: int) -> tuple[list[list[FieldLine]], list[int]]:
        key = self.fields, width, self.wraps, self.max_columns
        if self._arranged is None or self._arranged[0] != key:
            self._arranged = key, *self._shared(self._arrange(width), width)
        return self._arranged[1:]

    def _shared(
        self, columns: list[list[FieldLine]], width: int
    ) -> tuple[list[list[FieldLine]], list[int]]:
        """Give columns with long values the cells that the others leave blank."""
        labels = self._label_width(width) + GAP
        equal = self._room(width, len(columns) or 1) + labels
        fields = [sorted({line.field for line in column}) for column in columns]
        widths = _widths([labels + self._need(held) for held in fields], equal)
        if widths == [equal] * len(columns):
            return columns, widths
        lines = [self._lines(cells - labels) for cells in widths]
        return [
            [line for one in held for line in wrapped[one]]
            for held, wrapped in zip(fields, lines, strict=True)
        ], widths

    def _need(self, fields: Sequence[int]) -> int:
        """Return the cells of the longest value of some fields, in steps."""
        longest = max((cell_len(self.fields[one].value) for one in fields), default=0)
        return -(-longest // STEP) * STEP

    def _arrange(self, width: int) -> list[list[FieldLine]]:
        number = min(self.max_columns, 2 if width >= MIN_TWO_COLUMN_WIDTH else 1)
        best = _balanced(self._lines(self._room(width, number)), number)
        while number < min(self.max_columns, len(self.fields)):
            number += 1
            room = self._room(width, number)
            if room + self._label_width(width) + GAP < MIN_COLUMN_WIDTH or self._breaks(room):
                break
            more = _balanced(self._lines(room), number)
            if max(map(len, more)) <= MAX_SHARE * max(map(len, best)):
                best = more
        return best

    @property
    def _labels(self) -> int:
        return max((cell_len(field.label) for field in self.fields), default=0)

    def _label_width(self, width: int) -> int:
        return min(self._labels, MAX_LABEL_WIDTH, max(1, width // 2))

    def _room(self, width: int, columns: int) -> int:
        """Return the cells of a value."""
        column = (width - GAP * (columns - 1)) // columns
        return max(1, column - self._label_width(width) - GAP)

    def _breaks(self, room: int) -> bool:
        """Return whether a word is wider than the room for a value."""
        return any(cell_len(word) > room for field in self.fields for word in field.value.split())

    def _lines(self, room: int) -> list[list[FieldLine]]:
        """Return the lines of each field."""
        return [
            [
                FieldLine("" if part else field.label, text, field.style, number)
                for part, text in enumerate(_wrapped(field.value, room, wraps=self.wraps))
            ]
            for number, field in enumerate(self.fields)
        ]

    def render(self) -> Content:
        """Draw the fields, first down the left column, then down the next one."""
        width = self.size.width
        columns, widths = self._placed(width)
        labels = self._label_width(width)
        blank = FieldLine("", "", "text", -1)
        return Content("\n").join(
            Content.assemble(
                *(
                    part
                    for number, column in enumerate(columns)
                    for part in self._parts(
                        column[y] if y < len(column) else blank,
                        labels,
                        widths[number] - labels - GAP,
                        number > 0,
                    )
                )
            )
            for y in range(self.lines)
        )

    def _parts(self, line: FieldLine, labels: int, room: int, gap: bool) -> list[tuple[str, str]]:
        ellipsis = self._glyphs.ellipsis
        label = " " * GAP * gap + fit(line.label, labels, ellipsis) + " " * GAP
        value = fit(line.value, room, ellipsis)
        found = bool(line.label) and line.label == self._found
        return [(label, "reverse" if found else "$text-muted"), (value, COLOURS[line.style])]


def _widths(needs: Sequence[int], equal: int) -> list[int]:
    """Return the cells of columns: equal, but what some do not need goes to those that lack it."""
    blank = sum(max(0, equal - need) for need in needs)
    lacking = sum(max(0, need - equal) for need in needs)
    moved = min(blank, lacking)
    if not moved:
        return [equal] * len(needs)
    return [
        equal + (need - equal) * moved // (lacking if need > equal else blank) for need in needs
    ]


def needed_width(fields: Sequence[Field]) -> int:
    """Return the cells that a column of whole labels and values takes."""
    labels = max((cell_len(field.label) for field in fields), default=0)
    values = max((cell_len(field.value) for field in fields), default=0)
    return min(labels, MAX_LABEL_WIDTH) + GAP + values


def _wrapped(text: str, room: int, *, wraps: bool) -> Iterator[str]:
    text = visible(text)
    if not wraps or len(text) <= room // 2:
        yield text
        return
    for start, end in wrap(text, room):
        yield text[start:end]


def _balanced(fields: Sequence[list[FieldLine]], columns: int) -> list[list[FieldLine]]:
    """Share fields among columns, in their order, so that the highest column is low."""
    total = sum(map(len, fields))
    height = max(-(-total // columns), max(map(len, fields), default=0))
    while True:
        found: list[list[FieldLine]] = [[]]
        for lines in fields:
            if len(found[-1]) + len(lines) > height:
                found.append([])
            found[-1] += lines
        if len(found) <= columns:
            return found + [[] for _ in range(columns - len(found))]
        height += 1
