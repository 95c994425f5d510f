"""The keys that open pages, and those of pages."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all
from celtop.tui.dialogs.help import Help
from celtop.tui.dialogs.save import SaveDialog
from celtop.tui.navigation import DrillDown, Location
from textual.widgets import Input


@checks("error", sharing=True)
async def _error(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "/", *"state:failure", "enter")
    task = ui.table.cursor_row
    await ui.press(key)
    assert ui.app.location.path[-1].kind == "failures"
    assert task.id in ui.table.cursor_row.tasks


@checks("workflow", sharing=True)
async def _workflow(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    task = ui.table.cursor_row
    await ui.press(key)
    assert ui.app.location.path[-1].kind == "workflow"
    assert ui.app.location.path[-1].subject == task.id


@checks("compare", sharing=True)
async def _compare(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "space", "space", key)
    assert ui.app.location.path[-1].kind == "compare"


@checks("tasks.all", sharing=True)
async def _all_tasks(ui: AppUnderTest, key: str) -> None:
    queue = "geo_processing"
    ui.app.go(Location("queues", (DrillDown("queue", queue),)))
    await ui.pilot.pause()
    await ui.press(key)
    assert {task.queue for task in ui.table.rows} == {queue}


@checks("export", sharing=True)
async def _export(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert isinstance(ui.screen, SaveDialog)
    assert ui.screen.query_one(Input).value.startswith("celtop-overview-")


@checks("help", sharing=True)
async def _help(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    assert isinstance(ui.screen, Help)
    assert ui.screen.contexts[0] == "list"


@checks("search", "search.keep", "search.down", "search.up", "search.clear", sharing=True)
async def _search(ui: AppUnderTest, key: str) -> None:
    await ui.press("3", "enter", "/", *"queues")
    line = ui.screen.search_line
    assert line.display and line.text == "queues"
    await ui.press(key if key != "/" else "enter")
    if key == "escape":
        assert not line.display
    assert isinstance(ui.app.focused, Input) is (key in ("down", "up"))


@checks("search.next", "search.previous", sharing=True)
async def _search_step(ui: AppUnderTest, key: str) -> None:
    await ui.press("3", "enter", "/", *"celery", "enter")
    assert "1 of " in ui.text
    await ui.press("n")
    assert "2 of " in ui.text
    if key == "N":
        await ui.press(key)
        assert "1 of " in ui.text


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)
