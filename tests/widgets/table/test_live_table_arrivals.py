"""Rows that come, go and move while a user looks: nothing slides under the finger."""

from __future__ import annotations

from celtop.tests.widgets.row_list import Row, rows, table
from celtop.tests.widgets.screen_text import Shown, shown
from celtop.widgets.table.column import Frame

NOW = Frame(1.0)
NEWEST_FIRST = {"sort": ("age", True)}
NEWEST_LAST = {"sort": ("age", False)}


def ids(screen: Shown) -> list[str]:
    return [line.lstrip("◉ ").split()[0] for line in screen.lines[1:] if line.strip()]


async def test_rows_that_arrive_above_leave_the_others_in_place() -> None:
    list_ = rows(50)
    view = table(list_, **NEWEST_FIRST)
    async with shown(view, 40, 8) as screen:
        before = ids(screen)
        list_.arrive("n1", "n2", "n3")
        assert view.paint(NOW) == 0
        await screen.settle()
        assert ids(screen) == before
        assert view.unseen == 3
        view.action_move("top")
        await screen.settle()
        assert ids(screen)[:3] == ["n3", "n2", "n1"]
        assert view.unseen == 0


async def test_rows_that_go_above_leave_the_others_in_place() -> None:
    list_ = rows(50)
    view = table(list_)
    async with shown(view, 40, 8) as screen:
        view.scroll_to(y=20, animate=False)
        await screen.settle()
        before = ids(screen)
        list_.remove(*[f"r{number:03}" for number in range(10)])
        view.paint(NOW)
        await screen.settle()
        assert ids(screen) == before


async def test_a_row_that_is_re_sorted_does_not_drag_the_window_along() -> None:
    list_ = rows(50)
    view = table(list_)
    async with shown(view, 40, 8) as screen:
        view.scroll_to(y=20, animate=False)
        await screen.settle()
        before = ids(screen)
        list_.rows.append(list_.rows.pop(20))
        view.paint(NOW)
        await screen.settle()
        assert ids(screen) == ["r019", *before[1:]]


async def test_following_the_newest_at_the_top() -> None:
    list_ = rows(50)
    view = table(list_, follow=True, **NEWEST_FIRST)
    async with shown(view, 40, 8) as screen:
        assert view.follow
        list_.arrive("n1", "n2")
        assert view.paint(NOW) == 7
        await screen.settle()
        assert ids(screen)[:3] == ["n2", "n1", "r000"]
        assert view.cursor_id == "n2"


async def test_following_the_newest_at_the_bottom() -> None:
    list_ = rows(50)
    view = table(list_, follow=True, **NEWEST_LAST)
    async with shown(view, 40, 8) as screen:
        assert ids(screen)[-1] == "r049"
        list_.rows.append(Row("n1"))
        view.paint(NOW)
        await screen.settle()
        assert ids(screen)[-1] == "n1"
        assert view.cursor_id == "n1"


async def test_moving_away_ends_following_and_acts_on_what_is_seen() -> None:
    list_ = rows(50)
    view = table(list_, follow=True, **NEWEST_FIRST)
    async with shown(view, 40, 8) as screen:
        view.paint(NOW)
        list_.arrive("n1", "n2")
        view.action_move("down")
        await screen.settle()
        assert not view.follow
        assert view.cursor_id == "r001"
        assert ids(screen)[0] == "r000"


async def test_a_click_on_a_row_ends_following() -> None:
    list_ = rows(20)
    view = table(list_, follow=True, **NEWEST_FIRST)
    async with shown(view, 40, 10) as screen:
        await screen.pilot.click(view, offset=(5, 4))
        clicked = view.cursor_id
        list_.arrive("new1")
        view.paint(NOW)
        assert view.cursor_id == clicked and not view.follow


async def test_moving_towards_the_newest_goes_on_following() -> None:
    list_ = rows(50)
    view = table(list_, follow=True, **NEWEST_FIRST)
    async with shown(view, 40, 8):
        view.paint(NOW)
        list_.arrive("n1", "n2")
        view.action_move("up")
        assert view.follow
        assert view.cursor_id == "n2"


async def test_scrolling_away_ends_following() -> None:
    view = table(rows(50), follow=True, **NEWEST_FIRST)
    async with shown(view, 40, 8) as screen:
        view.scroll_to(y=10, animate=False)
        await screen.settle()
        assert not view.follow


async def test_following_can_be_switched() -> None:
    list_ = rows(50)
    view = table(list_, **NEWEST_FIRST)
    async with shown(view, 40, 8) as screen:
        list_.arrive("n1")
        view.paint(NOW)
        view.action_toggle_follow()
        await screen.settle()
        assert ids(screen)[0] == "n1"
        view.action_toggle_follow()
        list_.arrive("n2")
        view.paint(NOW)
        await screen.settle()
        assert ids(screen)[0] == "n1"


async def test_in_another_order_following_sticks_to_the_cursors_row() -> None:
    list_ = rows(50)
    view = table(list_, sort=("size", False))
    async with shown(view, 40, 8) as screen:
        for _ in range(3):
            view.action_move("down")
        view.action_toggle_follow()
        y = [line.split()[0] for line in screen.lines].index("r003")
        list_.rows.insert(30, list_.rows.pop(3))
        view.paint(NOW)
        await screen.settle()
        assert view.cursor_id == "r003"
        assert screen.lines[y].split()[0] == "r003"


async def test_the_cursor_stays_with_its_row() -> None:
    list_ = rows(10)
    view = table(list_)
    async with shown(view, 40, 14):
        view.action_move("down")
        list_.rows.reverse()
        view.paint(NOW)
        assert view.cursor_id == "r001"
        view.action_move("down")
        assert view.cursor_id == "r000"


async def test_when_the_cursors_row_goes_the_next_one_takes_its_place() -> None:
    list_ = rows(10)
    view = table(list_)
    async with shown(view, 40, 14) as screen:
        for _ in range(4):
            view.action_move("down")
        list_.remove("r004")
        view.paint(NOW)
        assert view.cursor_id == "r005"
        list_.remove("r000", "r005", "r006")
        view.paint(NOW)
        assert view.cursor_id == "r007"
        list_.remove("r007", "r008", "r009")
        view.paint(NOW)
        assert view.cursor_id == "r003"
        list_.rows.clear()
        view.paint(NOW)
        await screen.settle()
        assert view.cursor_id is None
        assert screen.lines[1].strip() == "nothing here"


async def test_when_all_rows_are_others_the_cursor_keeps_its_place() -> None:
    list_ = rows(20)
    view = table(list_)
    async with shown(view, 40, 14):
        for _ in range(4):
            view.action_move("down")
        list_.rows = rows(20, first=100).rows
        view.paint(NOW)
        assert view.cursor_id == "r104"


async def test_showing_other_rows_keeps_a_cursor_that_is_among_them() -> None:
    view = table(rows(20))
    async with shown(view, 40, 8) as screen:
        for _ in range(4):
            view.action_move("down")
        view.show(rows(20, first=3))
        assert view.cursor_id == "r004"
        view.show(rows(20, first=100))
        await screen.settle()
        assert view.cursor_id == "r100"
        assert ids(screen)[0] == "r100"


async def test_a_list_that_shrinks_leaves_no_gap() -> None:
    list_ = rows(50)
    view = table(list_)
    async with shown(view, 40, 8) as screen:
        view.action_move("bottom")
        list_.rows = list_.rows[:10]
        view.paint(NOW)
        await screen.settle()
        assert ids(screen) == ["r003", "r004", "r005", "r006", "r007", "r008", "r009"]


async def test_moving_to_a_row() -> None:
    view = table(rows(50))
    async with shown(view, 40, 8) as screen:
        assert view.move_to("r030")
        assert not view.move_to("r999")
        await screen.settle()
        assert view.cursor_id == "r030"
        assert "r030" in ids(screen)
