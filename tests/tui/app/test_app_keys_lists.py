"""The keys of lists: moving, marking, sorting, filtering, copying."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all
from celtop.tui.bars.filter import Filter
from celtop.tui.dialogs.menu import Menu


@checks("open", sharing=True)
async def _open(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    assert ui.app.location.path[0].kind == "task"


@checks("move.down", "move.up", "move.top", "move.bottom", sharing=True)
async def _move(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "down", "down")
    before = ui.table.rows.index(ui.table.cursor_id)
    await ui.press(key)
    after = ui.table.rows.index(ui.table.cursor_id)
    last = len(ui.table.rows) - 1
    expected = {"j": 1, "down": 1, "k": -1, "up": -1}
    assert after == (
        before + expected[key] if key in expected else 0 if key in ("g", "home") else last
    )


@checks("move.page_down", "move.page_up", "move.half_down", "move.half_up", sharing=True)
async def _page(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "pagedown", "pagedown")
    before = ui.table.rows.index(ui.table.cursor_id)
    await ui.press(key)
    moved = ui.table.rows.index(ui.table.cursor_id) - before
    page = ui.table.size.height - 2
    assert moved == {"pagedown": page, "pageup": -page}.get(key, moved)
    assert 0 < (moved if key in ("pagedown", "ctrl+d") else -moved) <= page


@checks("scroll.left", "scroll.right")
async def _scroll(ui: AppUnderTest, key: str) -> None:
    headings = []
    for pressed in ("2", "l", key):
        await ui.press(pressed)
        headings.append(ui.text.splitlines()[2])
    first, second, third = headings
    assert first != second != third
    assert (third == first) is (key in ("h", "left"))


@checks("copy.id", sharing=True)
async def _copy_id(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    assert ui.clipboard == ui.table.cursor_id
    await ui.press("space", "space", key)
    assert ui.clipboard.split("\n") == list(ui.table.marks)


@checks("copy.menu", sharing=True)
async def _copy_menu(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "j", "j", "j", "j", "j", key)
    menu = ui.screen
    assert isinstance(menu, Menu)
    names = [name for name, _, _ in menu.choices]
    assert names == [
        "id", "own frame", "name", "args", "kwargs", "exception", "traceback", "celery call",
        "JSON",
    ]  # fmt: skip
    await ui.press(*["j"] * names.index("args"), "enter")
    assert ui.clipboard == "(239, 'item-239')"


@checks("filter.tasks", sharing=True)
async def _filter_tasks(ui: AppUnderTest, key: str) -> None:
    ui.burst("c", "slash", *"XKmail")
    await ui.until(lambda: ui.app.location.view == "tasks")
    await ui.until(lambda: ui.screen.query_one(Filter).text == "XKmail")
    assert not ui.said


@checks("faults", sharing=True)
async def _faults(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    assert {task.state for task in ui.table.rows} <= {"FAILURE", "RETRY", "REVOKED"}
    await ui.press("4", key)
    assert [queue.name for queue in ui.table.rows] == ["notifications"]


@checks("sort")
async def _sort_menu(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    assert isinstance(ui.screen, Menu)
    await ui.press("up", "up", "up", "up", "enter")
    assert ui.table.sort is not None and ui.table.sort[0] != "received"


@checks("sort.previous", "sort.next", "sort.invert")
async def _sort(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    expected = {"<": ("queue", False), ">": ("finished", True), "I": ("received", False)}
    assert ui.table.sort == expected[key]


@checks("wide")
async def _wide(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    assert ui.table.wide


@checks("mark", "mark.range", "mark.all", "mark.none", sharing=True, same_for_all=True)
async def _mark(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "space")
    assert len(ui.table.marks) == 1
    await ui.press("j", "j", "V")
    assert len(ui.table.marks) == 4
    await ui.press("a")
    assert len(ui.table.marks) == len(ui.table.rows)
    await ui.press("U")
    assert not ui.table.marks


@checks("follow")
async def _follow(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    assert ui.table.follow
    await ui.press(key)
    assert not ui.table.follow


@checks("dialog.close", "dialog.accept", "dialog.next", "dialog.previous")
async def _dialog(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "s")
    menu = ui.screen
    from textual.widgets import OptionList

    before = menu.query_one(OptionList).highlighted
    await ui.press(key)
    if key in ("escape", "enter"):
        assert ui.screen is not menu
        # Accepted, the column that was sorted by already is turned round.
        assert ui.table.sort == ("received", key == "escape")
    else:
        moved = menu.query_one(OptionList).highlighted - before
        assert moved == (1 if key in ("down", "j") else -1)


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)
