"""Keys that are typed ahead reach the screen that the key before them opens."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import AppUnderTest, make_app, run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.dialogs.prompt import Prompt
from celtop.tui.navigation import Location
from celtop.tui.pages.worker import WorkerDetailScreen
from textual.command import CommandPalette, Hit
from textual.events import Key
from textual.widgets import Input, OptionList


@pytest.mark.parametrize("key", ["question_mark", "ctrl+p", "A"])
async def test_a_dialog_opens_on_the_page_of_the_key_before(key: str) -> None:
    app, session = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        await ui.press("3")
        ui.burst("enter", key)
        await ui.until(lambda: app.monitor_screen is None and len(app.screen_stack) > 1)
        await ui.pilot.pause()
        assert isinstance(app.screen_stack[1], WorkerDetailScreen)


async def test_keys_after_the_palette_go_to_the_screen_below() -> None:
    app, session = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        await ui.press("1")
        for _ in range(3):
            ui.burst("ctrl+p", *"work", "escape", "4", "ctrl+p", "x", "escape", "3")
            await ui.until(lambda: app.location.view == "workers")
            await ui.press("1")
        assert not app.said


async def test_a_closed_palette_searches_no_more() -> None:
    app, session = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        await ui.press("ctrl+p")
        palette = app.screen
        with patch.object(CommandPalette, "_gather_commands") as search:
            palette.dismiss()
            palette.post_message(Input.Changed(palette.query_one(Input), "mail"))
            await ui.until(lambda: not palette.is_attached)
        assert not search.called


@pytest.mark.parametrize("closing", ["enter", "escape"])
async def test_closing_the_palette_twice_closes_nothing_below(closing: str) -> None:
    app, session = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        await ui.press("3", "enter", "ctrl+p")
        page, palette = app.screen_stack[-2:]
        assert isinstance(palette, CommandPalette)
        assert isinstance(page, WorkerDetailScreen)
        run: list[str] = []
        hit = Hit(1.0, "x", lambda: run.append("x"))
        palette._selected_command = hit
        palette._list_visible = False
        entry = palette.query_one(Input)
        for _ in range(2):
            if closing == "enter":
                palette.post_message(Input.Submitted(entry, "x"))
            else:
                palette.call_later(palette._action_escape)
        await ui.until(lambda: not palette.is_attached)
        await ui.pilot.pause()
        assert app.screen is page
        assert run == (["x"] if closing == "enter" else [])


async def test_a_palette_without_a_line_for_its_list_takes_keys() -> None:
    app, session = make_app(cluster())
    async with app.run_test(size=(10, 3)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        await ui.press("ctrl+p")
        await ui.pilot.pause()
        options = app.screen.query_one(OptionList)
        options.add_option("more")
        options.highlighted = 0
        assert not options.scrollable_content_region
        await ui.press("pagedown", "pageup")
        assert options.highlighted is not None


async def test_keys_typed_before_there_are_rows_act_on_none() -> None:
    async with run_app(ClusterState(), Location("tasks")) as ui:
        early = [
            Key(key, key) for key in ("a", "X", "y", "space", "A", "X", "y", "enter", "R", "y")
        ]
        feed(ui.session.state, task_events(1, "mail.send", end=None, uuid="1")[:1])
        ui.app.frame_loop.paint()
        assert ui.table.cursor_id == "1"
        for key in early:
            ui.app.post_message(key)
        await ui.pilot.pause()
        await ui.until(lambda: not ui.app.message_queue_size)
        prompt = await ui.dialog(Prompt)  # of what the menu offers without a row
        assert not ui.session.operations and not ui.clipboard
        await ui.press("escape")
        assert not ui.app.location.path and not ui.table.marks and not prompt.is_attached
        await ui.press("X")
        assert ui.said == ["Nothing to revoke: no task selected", "no workers are known"]


@pytest.mark.parametrize("typed", [":rate 4", ""])
async def test_a_typed_or_searched_command_is_for_the_row_that_was_seen(typed: str) -> None:
    state = ClusterState()
    feed(state, task_events(1, "mail.send", end=None, uuid="1")[:1])
    async with run_app(state, Location("tasks")) as ui:
        await ui.press(*typed)
        assert ui.table.cursor_id == "1"
        table, key = ui.table, Key("enter" if typed else "ctrl+p", None)
        feed(state, task_events(2, "mail.send", end=None, uuid="2", at=NOW)[:1])
        ui.app.frame_loop.paint()
        assert table.cursor_id == "2", "the latest task"
        ui.app.post_message(key)
        await ui.until(lambda: table.cursor_id == "1")
        feed(state, task_events(3, "mail.send", end=None, uuid="3", at=NOW + 1)[:1])
        ui.app.frame_loop.paint()
        assert table.cursor_id == "1"
        assert not ui.said
