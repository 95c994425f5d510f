"""The keys that work on every screen: views, commands, freeze, panes, quit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.bindings import ACTIONS
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all
from celtop.tui.bars.command_line import CommandLine
from celtop.tui.dialogs.help import Help
from textual.command import CommandPalette
from textual.widget import Widget
from textual.widgets import Input

VIEWS = (
    "overview", "tasks", "workers", "queues", "types", "scheduled", "log", "findings", "schedule",
    "clusters",
)  # fmt: skip


@checks(*(f"view.{view}" for view in VIEWS), sharing=True)
async def _view(ui: AppUnderTest, key: str) -> None:
    views = {action.keys[0]: action.id.removeprefix("view.") for action in ACTIONS}
    await ui.press("7" if key != "7" else "1", key)
    assert ui.app.location.view == views[key]
    assert ui.app.current_mode == views[key]


@checks("command", sharing=True)
async def _command(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert ui.screen.query_one(CommandLine).display
    await ui.press(*"queues", "enter")
    assert ui.app.location.view == "queues"


@checks("palette", sharing=True)
async def _palette(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert isinstance(ui.screen, CommandPalette)


@checks("back", sharing=True)
async def _back(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "/", *"mail", "enter", "space", "!")
    assert ui.table.marks and ui.screen.filter_text == "mail" and ui.screen.faults_only
    await ui.press(key)
    assert not ui.table.marks and ui.screen.filter_text == "mail"
    await ui.press(key)
    assert ui.screen.filter_text == "" and ui.screen.faults_only
    await ui.press(key)
    assert not ui.screen.faults_only
    await ui.press("enter")
    assert ui.app.location.path
    await ui.press(key)
    assert not ui.app.location.path


@checks("history.back", "history.forward", sharing=True)
async def _history(ui: AppUnderTest, key: str) -> None:
    await ui.press("3", "enter", "4")
    deep = "celery@geo-2"  # it is lost, so it is first
    await ui.press("[")
    assert ui.app.location.view == "workers" and ui.app.location.path[0].subject == deep
    await ui.press("[")
    assert ui.app.location.view == "workers" and not ui.app.location.path
    await ui.press("]", "]")
    assert ui.app.location.view == "queues"


@checks("times", sharing=True)
async def _times(ui: AppUnderTest, key: str) -> None:
    await ui.press("7", key)
    assert ui.said == ["Times are relative"]
    await ui.until(lambda: "s ago" in ui.text)
    await ui.press(key, key)
    assert ui.said[1:] == ["Times are local", "Times are in UTC"]


@checks("freeze")
async def _freeze(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    shown = len(ui.table.rows)
    feed(ui.session.state, task_events(77_001, "late.arrival", at=NOW))
    ui.app.frame_loop.paint()
    await ui.pilot.pause()
    assert len(ui.table.rows) == shown
    assert "FROZEN 08:00:00 +4" in ui.screen.query_one("#header").text
    await ui.press(key)
    assert len(ui.table.rows) == shown + 1
    assert "FROZEN" not in ui.screen.query_one("#header").text


@checks("refresh")
async def _refresh(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert ui.session.refreshes == 1


@checks("quit")
async def _quit(ui: AppUnderTest, key: str) -> None:
    await ui.press("3", "enter", key)
    assert ui.app.location.path == () and ui.app.location.view == "workers"
    await ui.press(key)
    assert ui.app.return_code is not None and ui.app.return_code == 0


@checks("quit.now")
async def _quit_now(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "/", "x", key)
    assert ui.app.return_code is not None and ui.app.return_code == 0


@checks("suspend")
async def _suspend(ui: AppUnderTest, key: str) -> None:
    # A headless app cannot be suspended: what can be seen is that the key asks for it.
    asked: list[bool] = []
    ui.app.action_suspend_process = lambda: asked.append(True)  # type: ignore[method-assign]
    await ui.press(key)
    assert asked == [True]
    await ui.press("?")
    await ui.dialog(Help)
    await ui.press(key)
    assert asked == [True, True]


@checks("focus.next", "focus.previous", sharing=True)
async def _pane(ui: AppUnderTest, key: str) -> None:
    before = ui.app.focused
    await ui.press(key)
    chain = ui.screen.focus_chain
    step = 1 if key == "tab" else -1
    assert ui.app.focused is chain[(chain.index(before) + step) % len(chain)]


@checks("zoom", sharing=True)
async def _zoom(ui: AppUnderTest, key: str) -> None:
    def shown() -> list[Widget]:
        return [pane for pane in ui.screen.query(".pane") if pane.display]

    before = shown()
    await ui.press("tab", key)
    assert len(shown()) == 1 and ui.app.focused in shown()[0].walk_children(with_self=True)
    await ui.press(key)
    assert shown() == before and len(before) > 4


@checks("command.run", "command.complete", "command.close", sharing=True)
async def _complete(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", ":", *"ov")
    line = ui.screen.query_one(CommandLine)
    await ui.press("tab")
    assert line.query_one(Input).value == "overview"
    await ui.press("escape" if key == "escape" else "enter")
    assert not line.display
    assert ui.app.location.view == ("tasks" if key == "escape" else "overview")


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)
