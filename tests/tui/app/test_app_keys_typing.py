"""What the keys do while a filter or a command is typed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all
from celtop.tui.bars.command_line import CommandLine
from celtop.tui.bars.filter import Filter
from textual.widgets import Input


@checks("filter", "filter.keep", sharing=True, same_for_all=True)
async def _filter(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "/", *"state:failure", "enter")
    assert {task.state for task in ui.table.rows} == {"FAILURE"}
    assert ui.app.focused is ui.table
    assert ui.screen.query_one(Filter).display


@checks("filter.list", sharing=True)
async def _filter_list(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "/", *"mail", key)
    assert ui.app.focused is ui.table
    assert ui.screen.filter_text == "mail"


@checks("filter.complete", sharing=True)
async def _filter_complete(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    ui.burst("slash", *"sta")
    await ui.until(lambda: "state:  started:" in ui.text)
    ui.burst(key, *"retr", key)
    await ui.until(lambda: ui.screen.filter_text == "state:RETRY")
    ui.burst(key)
    await ui.until(lambda: ui.screen.filter_text == "state:retrying")


@checks("filter.complete_back", sharing=True)
async def _filter_complete_back(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    ui.burst("slash", *"state:retr", "tab", "tab", key)
    await ui.until(lambda: ui.screen.filter_text == "state:RETRY")


@checks("filter.older", "command.older", "command.newer", same_for_all=True)
async def _older(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "/", *"mail", "enter", "/", *["backspace"] * 4, "up")
    assert ui.screen.query_one(Filter).text == "mail"
    await ui.press("escape", ":", *"zone utc", "enter", ":", *"zone local", "enter")
    await ui.press(":", "up", "up")
    line = ui.screen.query_one(CommandLine)
    assert line.query_one(Input).value == "zone utc"
    await ui.press("down")
    assert line.query_one(Input).value == "zone local"


@checks("filter.clear", sharing=True)
async def _filter_clear(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    everything = len(ui.table.rows)
    await ui.press("/", *"mail", "enter", "/", key)
    await ui.pilot.pause()
    assert ui.screen.filter_text == ""
    assert len(ui.table.rows) == everything
    assert not ui.screen.query_one(Filter).display


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)
