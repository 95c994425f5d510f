"""Which columns are shown in which width, and how wide."""

from __future__ import annotations

from itertools import pairwise

import pytest
from celtop.widgets.table.arrangement import (
    are_hidden,
    arrange,
    last_offset,
    needed_widths,
)
from celtop.widgets.table.cells import Cell
from celtop.widgets.table.column import GAP, Column, Frame
from celtop.widgets.table.needs import Needs, measure


def cell(row: str, frame: Frame) -> Cell:
    return row, "text"


COLUMNS: tuple[Column[str], ...] = (
    Column("id", "Id", 36, cell, narrow_width=8, brief=True),
    Column("name", "Name", 20, cell, grow=2),
    Column("state", "State", 10, cell),
    Column("worker", "Worker", 16, cell, priority=2),
    Column("args", "Args", 20, cell, priority=3, grow=1),
    Column("retries", "Retries", 7, cell, priority=4),
    Column("pid", "Pid", 7, cell, wide_only=True),
)


def shown(width: int, **options: int) -> dict[str, int]:
    return {place.column.id: place.width for place in arrange(COLUMNS, width, **options)}  # type: ignore[arg-type]


def test_all_columns_share_what_is_left_over() -> None:
    widths = shown(200)
    assert list(widths) == ["id", "name", "state", "worker", "args", "retries"]
    assert sum(widths.values()) + 5 * GAP == 200
    assert widths["id"] == 36
    assert widths["name"] - 20 == pytest.approx(2 * (widths["args"] - 20), abs=2)


def test_the_id_is_shortened_before_anything_is_left_out() -> None:
    assert list(shown(100)) == ["id", "name", "state", "worker", "args", "retries"]
    assert shown(100)["id"] == 8


def test_the_highest_priority_goes_first() -> None:
    assert list(shown(80)) == ["id", "name", "state", "worker", "args"]
    assert list(shown(60)) == ["id", "name", "state", "worker"]
    assert list(shown(50)) == ["id", "name", "state"]


def test_growing_columns_shrink_when_nothing_more_can_go() -> None:
    widths = shown(32)
    assert list(widths) == ["id", "name", "state"]
    assert widths["id"] == 8
    assert widths["name"] < 20


@pytest.mark.parametrize("width", range(0, 220, 3))
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("offset", [0, 1, 4])
def test_columns_never_take_more_than_there_is(width: int, wide: bool, offset: int) -> None:
    placed = arrange(COLUMNS, width, wide=wide, offset=offset)
    assert placed[0].column.id == "id"
    assert sum(place.width for place in placed) + GAP * (len(placed) - 1) <= max(width, 0)
    for place, following in pairwise(placed):
        assert following.x == place.x + place.width + GAP


def test_wide_shows_all_in_their_order_and_cuts_the_last() -> None:
    assert list(shown(300, wide=True)) == [column.id for column in COLUMNS]
    widths = shown(70, wide=True)
    assert list(widths) == ["id", "name", "state"]
    assert widths["id"] == 36


def test_scrolling_leaves_out_what_follows_the_first() -> None:
    assert list(shown(70, wide=True, offset=2))[:2] == ["id", "worker"]


def test_the_last_offset_shows_the_last_column_whole() -> None:
    last = last_offset(COLUMNS, 70, wide=True)
    assert shown(70, wide=True, offset=last)["pid"] == 7
    assert shown(70, wide=True, offset=last - 1).get("pid", 0) < 7
    assert last_offset(COLUMNS, 300, wide=True) == 0
    assert last_offset((), 300, wide=True) == 0


def test_a_column_may_draw_by_its_width() -> None:
    def fill(row: str, frame: Frame, width: int) -> list[Cell]:
        return [(row * width, "bar")]

    def cell(row: str, frame: Frame) -> Cell:
        return row, "text"

    columns = (Column("a", "A", 5, cell), Column("b", "B", 5, cell, grow=1, fill=fill))
    plain, filled = arrange(columns, 20)
    assert plain.content("x", Frame(0.0)) == ("x", "text")
    assert filled.content("x", Frame(0.0)) == [("x" * 14, "bar")]


LIST: tuple[Column[str], ...] = (
    Column("name", "Queue", 14, cell, grow=1),
    Column("waiting", "Waiting", 8, cell),
    Column("in", "In", 7, cell, priority=4),
    Column("notes", "Notes", 20, cell, priority=8, grow=2),
)


def fitted(width: int, needs: Needs, columns: tuple[Column[str], ...] = LIST) -> dict[str, int]:
    return {place.column.id: place.width for place in arrange(columns, width, needs=needs)}


def test_columns_that_are_whole_stay_as_they_are() -> None:
    widths = dict.fromkeys(("name", "waiting", "in", "notes"), 5)
    needs = Needs(widths)
    assert fitted(80, needs) == {one.column.id: one.width for one in arrange(LIST, 80)}


def test_a_name_takes_the_room_that_other_cells_do_not_need() -> None:
    needs = Needs({"name": 30, "waiting": 5, "in": 3, "notes": 0})
    assert fitted(52, needs) == {"name": 31, "waiting": 7, "in": 3, "notes": 8}


def test_the_widths_that_a_table_needs_for_names_and_for_all_texts() -> None:
    needs = Needs({"name": 30, "waiting": 12, "in": 3, "notes": 25})
    assert needed_widths(LIST, needs) == (30 + 8 + GAP, 30 + 12 + 3 + 25 + 3 * GAP)
    long = Needs({**needs.widths, "name": 50})
    assert needed_widths(LIST, long)[0] == 50 + 8 + 3 + 20 + 3 * GAP
    blank = Needs(needs.widths, frozenset({"notes"}))
    assert needed_widths(LIST, blank)[1] == 30 + 12 + 3 + 2 * GAP


def test_a_column_without_information_gives_its_room_away() -> None:
    needs = Needs({"name": 38, "waiting": 5, "in": 1, "notes": 0}, frozenset({"in", "notes"}))
    assert list(fitted(52, needs)) == ["name", "waiting", "in"]
    assert fitted(48, needs) == {"name": 40, "waiting": 7}


def test_a_width_that_the_user_chose_stays() -> None:
    fixed = (Column("name", "Queue", 10, cell, fixed=True), *LIST[1:])
    needs = Needs({"name": 30, "waiting": 5, "in": 3, "notes": 40})
    assert fitted(60, needs, fixed)["name"] == 10


@pytest.mark.parametrize("width", range(0, 120, 3))
def test_fitted_columns_never_take_more_than_there_is(width: int) -> None:
    needs = Needs({"name": 30, "waiting": 5, "in": 1, "notes": 50}, frozenset({"in"}))
    widths = fitted(width, needs)
    assert sum(widths.values()) + GAP * (len(widths) - 1) <= max(width, 0)


def test_a_column_that_shows_nothing_is_left_out_though_there_is_room() -> None:
    needs = measure(LIST, ["?", "-"], Frame(0.0))
    assert list(fitted(200, needs)) == ["name", "waiting"]
    placed = arrange(LIST, 200, needs=needs)
    assert not are_hidden(LIST, placed, 200, 0, wide=False, needs=needs)


def test_a_column_is_left_out_before_a_more_important_one_is_cut() -> None:
    columns = (
        Column("name", "Task", 22, cell, grow=1, narrow_width=16),
        Column("worker", "Worker", 18, cell, priority=4, narrow_width=12),
        Column("retries", "Retries", 7, cell, priority=7, narrow_width=5),
    )
    needs = Needs({"name": 21, "worker": 16, "retries": 1})
    assert fitted(46, needs, columns) == {"name": 21, "worker": 16, "retries": 7}
    assert fitted(44, needs, columns) == {"name": 21, "worker": 16, "retries": 5}
    assert fitted(43, needs, columns) == {"name": 26, "worker": 16}
    assert fitted(36, needs, columns) == {"name": 21, "worker": 14}
    assert fitted(32, needs, columns) == {"name": 32}


def test_an_id_is_whole_only_if_no_text_is_cut() -> None:
    columns = (
        Column("id", "ID", 36, cell, 2, narrow_width=9, brief=True),
        Column("outcome", "Outcome", 18, cell, grow=1),
    )
    needs = Needs({"id": 36, "outcome": 40})
    assert fitted(60, needs, columns) == {"id": 19, "outcome": 40}
    assert fitted(80, needs, columns) == {"id": 36, "outcome": 43}


def test_graphs_take_the_cells_that_no_text_needs() -> None:
    columns = (
        Column("name", "Queue", 14, cell, grow=1),
        Column("trend", "Trend", 8, cell, fill=lambda row, frame, width: [], max_width=30),
        Column("consumers", "Consumers", 10, cell),
    )
    needs = Needs({"name": 5, "trend": 8, "consumers": 26})
    assert fitted(50, needs, columns) == {"name": 5, "trend": 17, "consumers": 26}
    assert fitted(60, needs, columns) == {"name": 5, "trend": 27, "consumers": 26}
    assert fitted(80, needs, columns) == {"name": 21, "trend": 30, "consumers": 27}


def test_no_long_blank_is_between_a_name_and_its_numbers() -> None:
    columns = (
        Column("state", "State", 5, cell),
        Column("name", "Task", 20, cell, grow=3),
        Column("count", "Count", 8, cell, justify="right"),
        Column("failed", "Failed", 8, cell, justify="right"),
        Column("chosen", "Chosen", 8, cell, fixed=True),
    )
    needs = Needs({"state": 5, "name": 20, "count": 2, "failed": 2, "chosen": 2})
    assert fitted(69, needs, columns)["name"] == 36
    assert fitted(89, needs, columns) == {
        "state": 5, "name": 36, "count": 18, "failed": 18, "chosen": 8,
    }  # fmt: skip
    assert fitted(89, Needs({**needs.widths, "name": 60}), columns)["name"] == 61


def test_columns_that_matter_least_are_left_out_for_long_names() -> None:
    columns = (
        Column("name", "Name", 16, cell, grow=1),
        Column("state", "State", 10, cell, priority=1),
        Column("pool", "Pool", 10, cell, priority=4),
        Column("load", "Load", 10, cell, priority=5),
    )

    def widths(width: int, name: int) -> dict[str, int]:
        needs = Needs({"name": name, "state": 10, "pool": 10, "load": 10})
        return {one.column.id: one.width for one in arrange(columns, width, needs=needs)}

    assert list(widths(50, 12)) == ["name", "state", "pool", "load"]
    assert widths(50, 17) == {"name": 17, "state": 10, "pool": 10, "load": 10}
    assert list(widths(52, 18)) == ["name", "state", "pool", "load"]
    assert list(widths(65, 40)) == ["name", "state", "pool", "load"]
    assert list(widths(64, 40)) == ["name", "state", "pool"]  # 32 cells for the name
    assert list(widths(49, 40)) == ["name", "state"]
    assert widths(30, 40) == {"name": 19, "state": 10}


def test_one_very_long_name_does_not_cut_the_outcomes_of_all_rows() -> None:
    columns = (
        Column("name", "Task", 22, cell, grow=2),
        Column("args", "Args", 12, cell, 6, grow=1),
        Column("outcome", "Outcome", 18, cell, 2, grow=4),
    )
    needs = Needs({"name": 98, "args": 40, "outcome": 90})
    assert fitted(200, needs, columns) == {"name": 68, "args": 40, "outcome": 90}
    assert fitted(240, needs, columns) == {"name": 100, "args": 41, "outcome": 97}


def test_results_of_any_length_leave_names_of_workers_whole() -> None:
    columns = (
        Column("name", "Task", 22, cell, grow=2),
        Column("worker", "Worker", 18, cell, 4, narrow_width=12),
        Column("args", "Args", 14, cell, 8, grow=2),
        Column("outcome", "Outcome", 18, cell, 2, grow=4),
    )
    needs = Needs({"name": 20, "worker": 45, "args": 30, "outcome": 200})
    assert fitted(200, needs, columns) == {"name": 20, "worker": 45, "args": 30, "outcome": 102}
    assert fitted(150, needs, columns) == {"name": 20, "worker": 45, "args": 30, "outcome": 52}
    assert fitted(130, needs, columns)["worker"] == 45
    always = (*columns[:2], Column("text", "Problem", 18, cell, grow=4))
    assert fitted(110, Needs({**needs.widths, "text": 60}), always)["text"] == 60
