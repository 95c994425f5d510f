"""Every action of a live table: moving, marking, sorting, columns, and the mouse."""

from __future__ import annotations

import time

import pytest
from celtop.tests.widgets.row_list import Row, rows, table
from celtop.tests.widgets.screen_text import Shown, shown
from celtop.widgets.glyphs import ASCII, UNICODE, Glyphs
from celtop.widgets.table.column import Column, Frame
from celtop.widgets.table.live_table import LiveTable
from celtop.widgets.table.viewport import Motion
from textual.containers import VerticalScroll
from textual.events import MouseScrollDown, MouseScrollRight, MouseScrollUp
from textual.widgets import Static

NOW = Frame(1.0)


def first_ids(screen: Shown) -> list[str]:
    """The ids of the rows on the screen."""
    return [line.lstrip("◉ ").split()[0] for line in screen.lines[1:] if line.strip()]


@pytest.mark.parametrize(
    ("motions", "cursor"),
    [
        (("down",), "r001"),
        (("down", "down", "up"), "r001"),
        (("up",), "r000"),
        (("page_down",), "r008"),
        (("page_down", "page_up"), "r000"),
        (("half_down",), "r004"),
        (("half_down", "half_up"), "r000"),
        (("bottom",), "r049"),
        (("bottom", "down"), "r049"),
        (("bottom", "page_up"), "r041"),
        (("bottom", "top"), "r000"),
    ],
)
async def test_moving(motions: tuple[Motion, ...], cursor: str) -> None:
    view = table(rows(50))
    async with shown(view, 40, 10) as screen:
        for motion in motions:
            view.action_move(motion)
        await screen.settle()
        assert view.cursor_id == cursor
        assert view.cursor_row is not None
        assert view.cursor_row.id == cursor
        assert cursor in first_ids(screen)


async def test_opening() -> None:
    view = table(rows(5))
    async with shown(view) as screen:
        view.action_move("down")
        view.action_open()
        await screen.settle()
        assert [message.row_id for message in screen.of(LiveTable.Opened)] == ["r001"]


async def test_opening_nothing_does_nothing() -> None:
    view = table(rows(0))
    async with shown(view) as screen:
        for motion in ("down", "up", "page_down", "top", "bottom"):
            view.action_move(motion)
        view.action_open()
        view.action_toggle_mark()
        view.action_mark_range()
        view.action_mark_all()
        await screen.settle()
        assert view.marks == ()
        assert screen.of(LiveTable.Opened) == []


async def test_marking_goes_on_to_the_next_row() -> None:
    view = table(rows(5))
    async with shown(view, 40, 8) as screen:
        view.action_toggle_mark()
        view.action_toggle_mark()
        await screen.settle()
        marked: tuple[str, ...] = view.marks
        assert marked == ("r000", "r001")
        assert view.cursor_id == "r002"
        assert [line[:1] for line in screen.lines[1:4]] == ["◉", "◉", " "]
        view.action_move("top")
        view.action_toggle_mark()
        marked = view.marks
        assert marked == ("r001",)


async def test_marking_a_range_from_the_last_mark() -> None:
    view = table(rows(20))
    async with shown(view, 40, 8):
        view.action_move("down")
        view.action_toggle_mark()
        for _ in range(3):
            view.action_move("down")
        view.action_mark_range()
        assert view.marks == ("r001", "r002", "r003", "r004", "r005")
        view.action_move("top")
        view.action_mark_range()
        assert set(view.marks) == {"r000", "r001", "r002", "r003", "r004", "r005"}


async def test_a_range_without_a_mark_is_the_cursors_row() -> None:
    view = table(rows(20))
    async with shown(view):
        view.action_move("down")
        view.action_mark_range()
        assert view.marks == ("r001",)


async def test_marking_all_and_none() -> None:
    list_ = rows(200)
    view = table(list_)
    async with shown(view):
        view.action_mark_all()
        assert len(view.marks) == 200
        view.unmark("r007")
        assert len(view.marks) == 199
        view.mark("r007", "r008", "hidden")
        assert len(view.marks) == 201
        view.action_unmark_all()
        assert view.marks == ()


async def test_marks_stay_with_their_rows() -> None:
    list_ = rows(6)
    view = table(list_)
    async with shown(view, 40, 9) as screen:
        view.action_toggle_mark()
        list_.rows.reverse()
        view.paint(NOW)
        await screen.settle()
        assert view.marks == ("r000",)
        assert [line.split()[1] for line in screen.lines if line.startswith("◉")] == ["r000"]


async def test_a_table_without_marks_has_no_gutter() -> None:
    view = table(rows(3), markable=False)
    async with shown(view, 40, 5) as screen:
        view.action_toggle_mark()
        view.action_mark_all()
        view.action_mark_range()
        assert view.marks == ()
        assert screen.lines[1].startswith("r000")


async def test_sorting_by_a_column_and_the_other_way_round() -> None:
    list_ = rows(5)
    view = table(list_)
    async with shown(view, 40, 8) as screen:
        view.action_sort_by("size")
        await screen.settle()
        assert (view.sort, list_.orders) == (("size", False), [("size", False)])
        assert "Size▲" in screen.lines[0]
        view.action_sort_by("size")
        await screen.settle()
        assert "Size▼" in screen.lines[0]
        assert first_ids(screen) == ["r004", "r003", "r002", "r001", "r000"]
        view.action_invert()
        assert view.sort == ("size", False)
        await screen.settle()
        assert list_.orders == [("size", False), ("size", True), ("size", False)]


@pytest.mark.parametrize(("glyphs", "title"), [(UNICODE, "Tasks▼ Other"), (ASCII, "Tasks v Other")])
async def test_the_mark_of_a_sorted_column_takes_no_gap(glyphs: Glyphs, title: str) -> None:
    columns = tuple(
        Column[Row](title.lower(), title, 5, lambda row, _: ("12345", "text"), sort_key="id")
        for title in ("Tasks", "Other")
    )
    view = LiveTable(columns, rows(3), id="table", row_id=lambda row: row.id)
    async with shown(view, 20, 6) as screen:
        view.paint(Frame(1.0, glyphs))
        view.order_by("tasks", True)
        view.paint(Frame(2.0, glyphs))
        await screen.settle()
        assert screen.lines[0].strip() == title


async def test_sorting_by_the_next_and_the_previous_column() -> None:
    view = table(rows(5))
    async with shown(view):
        order = []
        for _ in range(4):
            view.action_sort_next()
            order.append(view.sort)
        assert order == [("id", False), ("size", False), ("age", True), ("id", False)]
        view.action_sort_previous()
        assert view.sort == ("age", True)


async def test_what_cannot_be_sorted_by_is_left_alone() -> None:
    list_ = rows(5)
    view = table(list_)
    async with shown(view):
        view.action_sort_by("text")
        view.action_sort_by("nonsense")
        view.action_invert()
        assert (view.sort, list_.orders) == (None, [])


async def test_sorting_keeps_the_cursor_on_its_row_or_on_top() -> None:
    view = table(rows(100))
    async with shown(view, 40, 10) as screen:
        view.action_sort_by("size")
        view.action_invert()
        assert view.cursor_id == "r099"
        view.action_move("down")
        view.action_invert()
        await screen.settle()
        assert view.cursor_id == "r098"
        assert "r098" in first_ids(screen)


async def test_columns_scroll_and_the_first_stays() -> None:
    view = table(rows(5))
    async with shown(view, 26, 8) as screen:
        view.action_toggle_wide()
        await screen.settle()
        assert view.wide
        assert screen.lines[0].split()[:2] == ["Id", "Size"]
        assert screen.lines[0].endswith("›")
        view.action_scroll_columns("right")
        await screen.settle()
        assert screen.lines[0].split()[:2] == ["‹", "Id"]
        assert "Size" not in screen.lines[0]
        for _ in range(9):
            view.action_scroll_columns("right")
        await screen.settle()
        assert "More" in screen.lines[0]
        assert "m" * 12 in screen.lines[1]
        assert "›" not in screen.lines[0]
        for _ in range(9):
            view.action_scroll_columns("left")
        await screen.settle()
        assert screen.lines[0].split()[:2] == ["Id", "Size"]
        view.action_toggle_wide()
        await screen.settle()
        assert "More" not in screen.lines[0]


async def test_columns_that_fit_do_not_scroll() -> None:
    view = table(rows(5))
    async with shown(view, 60, 8) as screen:
        before = screen.lines
        view.action_scroll_columns("right")
        await screen.settle()
        assert screen.lines == before


async def test_dropped_columns_can_be_scrolled_to() -> None:
    view = table(rows(5))
    async with shown(view, 14, 8) as screen:
        assert screen.lines[0].split() == ["Id", "Size›"]
        for _ in range(3):
            view.action_scroll_columns("right")
        await screen.settle()
        assert "Age" in screen.lines[0]


async def test_a_click_moves_the_cursor_and_two_open() -> None:
    view = table(rows(20))
    async with shown(view, 40, 10) as screen:
        await screen.pilot.click(view, offset=(5, 4))
        assert view.cursor_id == "r003"
        assert screen.of(LiveTable.Opened) == []
        await screen.pilot.click(view, offset=(5, 6), times=2)
        await screen.settle()
        assert [message.row_id for message in screen.of(LiveTable.Opened)] == ["r005"]


async def test_a_click_means_the_row_that_was_seen() -> None:
    list_ = rows(20)
    view = table(list_)
    async with shown(view, 40, 10) as screen:
        list_.arrive("new1", "new2")
        await screen.pilot.click(view, offset=(5, 4))
        assert view.cursor_id == "r003"


async def test_a_click_on_a_title_sorts() -> None:
    view = table(rows(20))
    async with shown(view, 40, 10) as screen:
        await screen.pilot.click(view, offset=(3, 0))
        assert view.sort == ("id", False)
        await screen.pilot.click(view, offset=(3, 0))
        assert view.sort == ("id", True)


async def test_a_click_below_the_rows_does_nothing() -> None:
    view = table(rows(2))
    async with shown(view, 40, 10) as screen:
        await screen.pilot.click(view, offset=(5, 8))
        assert view.cursor_id == "r000"


async def test_the_wheel_scrolls_and_leaves_the_cursor() -> None:
    view = table(rows(50))
    async with shown(view, 40, 10) as screen:
        await screen.pilot._post_mouse_events(  # Pilot has no public way to turn the wheel
            [MouseScrollDown], view, (5, 5)
        )
        await screen.settle()
        assert first_ids(screen)[0] == "r003"
        assert view.cursor_id == "r000"
        view.action_move("down")
        await screen.settle()
        assert first_ids(screen)[0] == "r001"


async def test_the_wheel_scrolls_the_page_around_a_table_that_is_at_its_end() -> None:
    view = table(rows(2))
    view.styles.height = 5
    page = VerticalScroll(view, Static("\n".join(map(str, range(30)))))
    async with shown(page, 40, 10) as screen:
        await screen.pilot._post_mouse_events([MouseScrollDown], view, (5, 2))
        await screen.until(lambda: page.scroll_y > 0)


async def test_the_wheel_with_shift_scrolls_the_columns() -> None:
    view = table(rows(50))
    view.action_toggle_wide()
    async with shown(view, 20, 10) as screen:
        before = screen.lines[0]
        await screen.pilot._post_mouse_events([MouseScrollRight], view, (5, 5))
        await screen.settle()
        assert screen.lines[0] != before
        await screen.pilot._post_mouse_events([MouseScrollUp], view, (5, 5), shift=True)
        await screen.settle()
        assert screen.lines[0] == before and first_ids(screen)[0] == "r000"


async def test_dragging_the_scrollbar_scrolls() -> None:
    view = table(rows(50))
    async with shown(view, 40, 10) as screen:
        view.scroll_to(y=20, animate=False)
        await screen.settle()
        assert first_ids(screen)[0] == "r020"
        assert view.vertical_scrollbar.position == 20


async def test_a_resting_table_shows_its_first_rows_until_one_is_chosen() -> None:
    list_ = rows(20)
    view = table(list_, rests=True)
    async with shown(view, 40, 4) as screen:
        view.focus()
        await screen.settle()
        for number in range(3):
            list_.arrive(f"new{number}")
            view.paint(NOW)
            await screen.settle()
            assert view.cursor_id == first_ids(screen)[0] == f"new{number}"
        with view.as_seen_at(time.monotonic(), pin=True):
            list_.arrive("late")
            view.paint(NOW)
        assert view.cursor_id == "new2"
        view.action_move("down")
        await screen.settle()
        chosen = view.cursor_id
        list_.arrive("later")
        view.paint(NOW)
        await screen.settle()
        assert view.cursor_id == chosen


async def test_a_resting_table_without_focus_stays_at_its_top() -> None:
    list_ = rows(20)
    view = table(list_, rests=True)
    async with shown(view, 40, 10) as screen:
        view.focus()
        await screen.settle()
        view.action_move("bottom")
        await screen.settle()
        assert view.cursor_id == "r019"
        view.screen.set_focus(None)
        list_.arrive("new1")
        view.paint(NOW)
        await screen.settle()
        assert first_ids(screen)[0] == "new1"
        view.focus()
        await screen.settle()
        assert view.cursor_id == "new1"
