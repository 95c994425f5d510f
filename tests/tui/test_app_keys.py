from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest
from celtop.bindings import ACTIONS
from celtop.tests.tui import chart_keys as chart_keys
from celtop.tests.tui import column_keys as column_keys
from celtop.tests.tui import finding_keys as finding_keys
from celtop.tests.tui import operation_keys as operation_keys
from celtop.tests.tui import typing_keys as typing_keys
from celtop.tests.tui.app_under_test import AppUnderTest, make_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tests.tui.key_checks import CHECKS, Pressed, checks, keys_by_app, start_over
from celtop.tui.bars.command_line import CommandLine
from celtop.tui.bars.filter import Filter
from celtop.tui.dialogs.help import Help
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.save import SaveDialog
from celtop.tui.navigation import DrillDown, Location
from textual.widget import Widget
from textual.widgets import Input

VIEWS = (
    "overview", "tasks", "workers", "queues", "types", "scheduled", "log", "findings", "schedule",
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
    assert type(ui.screen).__name__ == "CommandPalette"


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
    assert "FROZEN +4" in ui.screen.query_one("#header").text
    await ui.press(key)
    assert len(ui.table.rows) == shown + 1
    assert "FROZEN" not in ui.screen.query_one("#header").text


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


@checks("refresh")
async def _refresh(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert ui.session.refreshes == 1


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


@checks("command.run", "command.complete", "command.close", sharing=True)
async def _complete(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", ":", *"ov")
    line = ui.screen.query_one(CommandLine)
    await ui.press("tab")
    assert line.query_one(Input).value == "overview"
    await ui.press("escape" if key == "escape" else "enter")
    assert not line.display
    assert ui.app.location.view == ("tasks" if key == "escape" else "overview")


def test_the_clipboard_is_the_terminals_own() -> None:
    # OSC 52 is what reaches a clipboard over ssh.
    app, _ = make_app()
    written: list[str] = []
    app._driver = type("Driver", (), {"write": lambda self, text: written.append(text)})()
    app.copy_to_clipboard("[/] id")
    assert base64.b64encode(b"[/] id").decode() in written[0]


CASES = [
    pytest.param(pressed, id=" ".join(f"{action.id} {key}" for action, key in pressed[:3]))
    for pressed in keys_by_app(ACTIONS)
]


def test_each_action_of_the_table_is_checked_here() -> None:
    assert {action.id for action in ACTIONS} == set(CHECKS)


@pytest.mark.parametrize("pressed", CASES)
async def test_each_key_does_what_the_table_says(pressed: Sequence[Pressed]) -> None:
    app, session = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.1)
        ui = AppUnderTest(app, session, pilot)
        for number, (action, key) in enumerate(pressed):
            try:
                if number:
                    await start_over(ui)
                await CHECKS[action.id](ui, key)
            except Exception as error:
                error.add_note(f"{action.id}: key {key}")
                raise
