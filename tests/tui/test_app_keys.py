from __future__ import annotations

import base64

import pytest
from celtop.bindings import ACTIONS, Action
from celtop.tests.tui import operation_keys as operation_keys
from celtop.tests.tui.fake_session import NOW, cluster, feed, staged, task_events
from celtop.tests.tui.key_checks import CHECKS, Stage, checks
from celtop.tui.bars.command_line import CommandLine
from celtop.tui.bars.filter import Filter
from celtop.tui.dialogs.help import Help
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.save import SaveDialog
from textual.widgets import Input

CASES = [
    pytest.param(action, key, id=f"{action.id} {key}") for action in ACTIONS for key in action.keys
]


def test_each_action_of_the_table_is_checked_here() -> None:
    assert {action.id for action in ACTIONS} == set(CHECKS)


@pytest.mark.parametrize(("action", "key"), CASES)
async def test_each_key_does_what_the_table_says(action: Action, key: str) -> None:
    app, session = staged(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.1)
        await CHECKS[action.id](Stage(app, session, pilot), key)


@checks(*(f"view.{view}" for view in
          ("overview", "tasks", "workers", "queues", "types", "scheduled", "log")))  # fmt: skip
async def _view(stage: Stage, key: str) -> None:
    views = {action.keys[0]: action.id.removeprefix("view.") for action in ACTIONS}
    await stage.press("7" if key != "7" else "1", key)
    assert stage.app.location.view == views[key]
    assert stage.app.current_mode == views[key]


@checks("command")
async def _command(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.screen.query_one(CommandLine).display
    await stage.press(*"queues", "enter")
    assert stage.app.location.view == "queues"


@checks("palette")
async def _palette(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert type(stage.screen).__name__ == "CommandPalette"


@checks("back")
async def _back(stage: Stage, key: str) -> None:
    await stage.press("2", "/", *"mail", "enter", "space", "!")
    assert stage.table.marks and stage.screen.filter_text == "mail" and stage.screen.faults_only
    await stage.press(key)
    assert not stage.table.marks and stage.screen.filter_text == "mail"
    await stage.press(key)
    assert stage.screen.filter_text == "" and stage.screen.faults_only
    await stage.press(key)
    assert not stage.screen.faults_only
    await stage.press("enter")
    assert stage.app.location.path
    await stage.press(key)
    assert not stage.app.location.path


@checks("history.back", "history.forward")
async def _history(stage: Stage, key: str) -> None:
    await stage.press("3", "enter", "4")
    deep = "celery@geo-1"
    await stage.press("[")
    assert stage.app.location.view == "workers" and stage.app.location.path[0].subject == deep
    await stage.press("[")
    assert stage.app.location.view == "workers" and not stage.app.location.path
    await stage.press("]", "]")
    assert stage.app.location.view == "queues"


@checks("freeze")
async def _freeze(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    shown = len(stage.table.rows)
    feed(stage.session.state, task_events(77_001, "late.arrival", at=NOW))
    stage.app.frame_loop.paint()
    await stage.pilot.pause()
    assert len(stage.table.rows) == shown
    assert "FROZEN +4" in stage.screen.query_one("#header").text
    await stage.press(key)
    assert len(stage.table.rows) == shown + 1
    assert "FROZEN" not in stage.screen.query_one("#header").text


@checks("error")
async def _error(stage: Stage, key: str) -> None:
    await stage.press("2", "/", *"state:failure", "enter")
    task = stage.table.cursor_row
    await stage.press(key)
    assert stage.app.location.path[-1].kind == "failures"
    assert task.id in stage.table.cursor_row.tasks


@checks("workflow")
async def _workflow(stage: Stage, key: str) -> None:
    await stage.press("2")
    task = stage.table.cursor_row
    await stage.press(key)
    assert stage.app.location.path[-1].kind == "workflow"
    assert stage.app.location.path[-1].subject == task.id


@checks("refresh")
async def _refresh(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.session.refreshes == 1


@checks("export")
async def _export(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(stage.screen, SaveDialog)
    assert stage.screen.query_one(Input).value.startswith("celtop-overview-")


@checks("help")
async def _help(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    assert isinstance(stage.screen, Help)
    assert stage.screen.contexts[0] == "list"


@checks("quit")
async def _quit(stage: Stage, key: str) -> None:
    await stage.press("3", "enter", key)
    assert stage.app.location.path == () and stage.app.location.view == "workers"
    await stage.press(key)
    assert stage.app.return_code is not None and stage.app.return_code == 0


@checks("quit.now")
async def _quit_now(stage: Stage, key: str) -> None:
    await stage.press("2", "/", "x", key)
    assert stage.app.return_code is not None and stage.app.return_code == 0


@checks("suspend")
async def _suspend(stage: Stage, key: str) -> None:
    # A headless app cannot be suspended: what can be seen is that the key asks for it.
    asked: list[bool] = []
    stage.app.action_suspend_process = lambda: asked.append(True)  # type: ignore[method-assign]
    await stage.press(key)
    assert asked == [True]


@checks("open")
async def _open(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    assert stage.app.location.path[0].kind == "task"


@checks("move.down", "move.up", "move.top", "move.bottom")
async def _move(stage: Stage, key: str) -> None:
    await stage.press("2", "down", "down")
    before = stage.table.rows.index(stage.table.cursor_id)
    await stage.press(key)
    after = stage.table.rows.index(stage.table.cursor_id)
    last = len(stage.table.rows) - 1
    expected = {"j": 1, "down": 1, "k": -1, "up": -1}
    assert after == (
        before + expected[key] if key in expected else 0 if key in ("g", "home") else last
    )


@checks("move.page_down", "move.page_up", "move.half_down", "move.half_up")
async def _page(stage: Stage, key: str) -> None:
    await stage.press("2", "pagedown", "pagedown")
    before = stage.table.rows.index(stage.table.cursor_id)
    await stage.press(key)
    moved = stage.table.rows.index(stage.table.cursor_id) - before
    page = stage.table.size.height - 2
    assert moved == {"pagedown": page, "pageup": -page}.get(key, moved)
    assert 0 < (moved if key in ("pagedown", "ctrl+d") else -moved) <= page


@checks("scroll.left", "scroll.right")
async def _scroll(stage: Stage, key: str) -> None:
    await stage.press("2", "l")
    before = stage.table._offset
    await stage.press(key)
    assert stage.table._offset - before == (1 if key in ("l", "right") else -1)


@checks("focus.next", "focus.previous")
async def _pane(stage: Stage, key: str) -> None:
    before = stage.app.focused
    await stage.press(key)
    chain = stage.screen.focus_chain
    step = 1 if key == "tab" else -1
    assert stage.app.focused is chain[(chain.index(before) + step) % len(chain)]


@checks("zoom")
async def _zoom(stage: Stage, key: str) -> None:
    await stage.press("tab", key)
    shown = [pane for pane in stage.screen.query(".pane") if pane.display]
    assert len(shown) == 1 and stage.app.focused in shown[0].walk_children(with_self=True)
    await stage.press(key)
    assert len([pane for pane in stage.screen.query(".pane") if pane.display]) == 6


@checks("copy.id")
async def _copy_id(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    assert stage.clipboard == stage.table.cursor_id
    await stage.press("space", "space", key)
    assert stage.clipboard.split("\n") == list(stage.table.marks)


@checks("copy.menu")
async def _copy_menu(stage: Stage, key: str) -> None:
    await stage.press("2", "j", "j", "j", "j", "j", key)
    menu = stage.screen
    assert isinstance(menu, Menu)
    names = [name for name, _, _ in menu.choices]
    assert names == [
        "id", "name", "args", "kwargs", "exception", "traceback", "celery call", "JSON",
    ]  # fmt: skip
    await stage.press(*["j"] * names.index("args"), "enter")
    assert stage.clipboard == "(239, 'item-239')"


@checks("filter", "filter.keep")
async def _filter(stage: Stage, key: str) -> None:
    await stage.press("2", "/", *"state:failure", "enter")
    assert {task.state for task in stage.table.rows} == {"FAILURE"}
    assert stage.app.focused is stage.table
    assert stage.screen.query_one(Filter).display


@checks("filter.list")
async def _filter_list(stage: Stage, key: str) -> None:
    await stage.press("2", "/", *"mail", key)
    assert stage.app.focused is stage.table
    assert stage.screen.filter_text == "mail"


@checks("filter.clear")
async def _filter_clear(stage: Stage, key: str) -> None:
    await stage.press("2")
    everything = len(stage.table.rows)
    await stage.press("/", *"mail", "enter", "/", key)
    await stage.pilot.pause()
    assert stage.screen.filter_text == ""
    assert len(stage.table.rows) == everything
    assert not stage.screen.query_one(Filter).display


@checks("faults")
async def _faults(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    assert {task.state for task in stage.table.rows} <= {"FAILURE", "RETRY", "REVOKED"}
    await stage.press("4", key)
    assert [queue.name for queue in stage.table.rows] == ["notifications"]


@checks("sort")
async def _sort_menu(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    assert isinstance(stage.screen, Menu)
    await stage.press("up", "up", "up", "up", "enter")
    assert stage.table.sort is not None and stage.table.sort[0] != "received"


@checks("sort.previous", "sort.next", "sort.invert")
async def _sort(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    expected = {"<": ("queue", False), ">": ("runtime", True), "I": ("received", False)}
    assert stage.table.sort == expected[key]


@checks("wide")
async def _wide(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    assert stage.table.wide


@checks("mark", "mark.range", "mark.all", "mark.none")
async def _mark(stage: Stage, key: str) -> None:
    await stage.press("2", "space")
    assert len(stage.table.marks) == 1
    await stage.press("j", "j", "V")
    assert len(stage.table.marks) == 4
    await stage.press("a")
    assert len(stage.table.marks) == len(stage.table.rows)
    await stage.press("U")
    assert not stage.table.marks


@checks("follow")
async def _follow(stage: Stage, key: str) -> None:
    await stage.press("2")
    assert stage.table.follow
    await stage.press(key)
    assert not stage.table.follow


@checks("dialog.close", "dialog.accept", "dialog.next", "dialog.previous")
async def _dialog(stage: Stage, key: str) -> None:
    await stage.press("2", "s")
    menu = stage.screen
    from textual.widgets import OptionList

    before = menu.query_one(OptionList).highlighted
    await stage.press(key)
    if key in ("escape", "enter"):
        assert stage.screen is not menu
        # Accepted, the column that was sorted by already is turned round.
        assert stage.table.sort == ("received", key == "escape")
    else:
        moved = menu.query_one(OptionList).highlighted - before
        assert moved == (1 if key in ("down", "j") else -1)


@checks("command.run", "command.complete", "command.close")
async def _complete(stage: Stage, key: str) -> None:
    await stage.press("2", ":", *"ov")
    line = stage.screen.query_one(CommandLine)
    await stage.press("tab")
    assert line.query_one(Input).value == "overview"
    await stage.press("escape" if key == "escape" else "enter")
    assert not line.display
    assert stage.app.location.view == ("tasks" if key == "escape" else "overview")


def test_the_clipboard_is_the_terminals_own() -> None:
    # OSC 52 is what reaches a clipboard over ssh.
    app, _ = staged()
    written: list[str] = []
    app._driver = type("Driver", (), {"write": lambda self, text: written.append(text)})()
    app.copy_to_clipboard("[/] id")
    assert base64.b64encode(b"[/] id").decode() in written[0]
