"""The user's columns: which, in what order, how wide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from celtop.widgets.table.arrangement import arrange
from celtop.widgets.table.column import Column
from celtop.widgets.table.layout import ChosenColumn, laid_out, own_layout, parse_layout

COLUMNS = tuple(
    Column[str](name, name.upper(), 10, lambda row, frame: (row, "text"), grow=1, narrow_width=5)
    for name in ("a", "b", "c")
)
COLUMNS = (*COLUMNS, replace(COLUMNS[0], id="d", wide_only=True, priority=7))


def ids(layout: str, *, wide: bool = False) -> str:
    return "".join(one.id for one in laid_out(COLUMNS, parse_layout(layout.split()), wide=wide))


def test_columns_come_in_the_chosen_order() -> None:
    assert ids("c a") == "ca"
    assert ids("c gone a") == "ca"
    assert ids("c a", wide=True) == "cabd"
    assert ids("") == ids("gone") == "abcd"
    assert own_layout(COLUMNS) == parse_layout("abc")


def test_a_chosen_column_is_shown_where_the_table_itself_would_not() -> None:
    (column,) = laid_out(COLUMNS, (ChosenColumn("d"),))
    assert not column.wide_only and column.priority == 1


def test_a_chosen_width_is_fixed() -> None:
    (column,) = laid_out(COLUMNS, parse_layout(["b:30"]))
    assert (column.width, column.narrow_width, column.grow) == (30, None, 0)
    assert str(ChosenColumn("b", 30)) == "b:30"
    columns = [replace(column, equal=True) for column in COLUMNS]
    placed = arrange(laid_out(columns, parse_layout(["a:30", "b", "c"])), 60)
    assert [one.width for one in placed] == [30, 14, 14]


@pytest.mark.parametrize("text", ["b:", "b:x", "b:2", "b:201", "b:-4"])
def test_what_is_no_width(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number from 3 to 200"):
        parse_layout([text])
