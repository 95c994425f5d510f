"""A small list of rows to show in tables under test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from celtop.widgets.table.cells import Cell
from celtop.widgets.table.column import Column, Frame
from celtop.widgets.table.live_table import LiveTable


@dataclass
class Row:
    """A row with a version that counts up."""

    id: str
    size: int = 0
    text: str = "text"
    running: bool = False
    version: int = 0

    def change(self, text: str) -> None:
        self.text = text
        self.version += 1


class RowList:
    """Rows in a list, which tests change as they like."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)
        self.orders: list[tuple[str, bool]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:
        return self.rows[index]

    def index(self, row_id: str) -> int | None:
        return next((i for i, row in enumerate(self.rows) if row.id == row_id), None)

    def set_order(self, key: str, descending: bool) -> None:
        self.orders.append((key, descending))
        self.rows.sort(
            key=lambda row: row.id if key == "arrival" else getattr(row, key), reverse=descending
        )

    def arrive(self, *ids: str) -> None:
        """Let rows arrive at the top."""
        for row_id in ids:
            self.rows.insert(0, Row(row_id))

    def remove(self, *ids: str) -> None:
        self.rows = [row for row in self.rows if row.id not in ids]


def rows(count: int, first: int = 0) -> RowList:
    """Rows `r000`, `r001` and so on."""
    return RowList(Row(f"r{number:03}", size=number) for number in range(first, first + count))


def size_bar(row: Row, frame: Frame) -> Sequence[Cell]:
    return ((frame.glyphs.bar[-1] * (row.size % 4), "bar"), (str(row.size), "text"))


COLUMNS: tuple[Column[Row], ...] = (
    Column("id", "Id", 6, lambda row, _: (row.id, "text"), sort_key="id", narrow_width=4),
    Column("size", "Size", 6, size_bar, sort_key="size", priority=1, justify="right"),
    Column("text", "Text", 10, lambda row, _: (row.text, "muted"), priority=2, grow=1),
    Column(
        "age",
        "Age",
        5,
        lambda row, frame: (f"{frame.now:.0f} s" if row.running else "0 s", "text"),
        ticks=lambda row: row.running,
        sort_key="arrival",
        priority=3,
        descending=True,
    ),
    Column("more", "More", 12, lambda row, _: ("m" * 12, "text"), wide_only=True),
)


def table(list_: RowList, **options: Any) -> LiveTable[Row]:
    """A table of rows."""
    return LiveTable(
        COLUMNS,
        list_,
        row_id=lambda row: row.id,
        row_version=lambda row: row.version,
        **{"empty": "nothing here", **options},
    )
