"""What the cells of a table need."""

from __future__ import annotations

from typing import Any

from celtop.widgets.table.cells import Cell
from celtop.widgets.table.column import Column, Frame
from celtop.widgets.table.needs import MEASURE_SECONDS, ColumnFit, Needs, measure


def cell(row: str, frame: Frame) -> Cell:
    return row, "text"


COLUMNS: tuple[Column[str], ...] = (
    Column("name", "Queue", 14, cell, grow=1),
    Column("waiting", "Waiting", 7, cell),
)


def test_columns_become_narrower_only_in_a_table_of_another_size() -> None:
    columns = (Column("name", "Name", 5, cell),)
    rows: Any = ["abcdefgh"]
    fit = ColumnFit()
    seen = []
    for now, (text, height) in enumerate((("abcdefgh", 9), ("ab", 9), ("ab", 4))):
        rows[0] = text
        fit.update(columns, rows, range(1), (20, height), Frame(now * MEASURE_SECONDS))
        assert fit.needs is not None
        seen.append(fit.needs.widths["name"])
    assert seen == [8, 8, 2]


def test_cells_are_measured_and_no_column_becomes_narrower_again() -> None:
    needs = measure(COLUMNS, ["a" * 5, "日本"], Frame(0.0))
    assert needs == Needs({"name": 5, "waiting": 5})
    unknown = measure(COLUMNS, ["?", ""], Frame(0.0))
    both = frozenset({"name", "waiting"})
    assert unknown == Needs({"name": 1, "waiting": 1}, both, both)
    assert needs.merged(unknown) == Needs({"name": 5, "waiting": 5}, both)
    assert unknown.merged(needs) == Needs({"name": 5, "waiting": 5})


def test_a_remark_that_all_rows_have_is_no_information() -> None:
    remark = (Column("name", "Queue", 14, cell), Column("note", "Note", 9, cell, remark=True))
    assert measure(remark, ["same", "same"], Frame(0.0)).blank == {"note"}
    assert not measure(remark, ["same", "other"], Frame(0.0)).blank
