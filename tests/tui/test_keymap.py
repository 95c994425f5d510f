"""A user's own keys: they work, the default ones do not, and every text shows them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TypeVar

import pytest
from celtop import tui
from celtop.bindings.contexts import ACTIVE_TOGETHER, Context
from celtop.bindings.keymap import Keymap
from celtop.tests.tui.app_under_test import AppUnderTest, make_app, screen_lines
from celtop.tests.tui.fake_session import cluster
from celtop.tui.bars.filter import Filter
from celtop.tui.dialogs.base import Dialog
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.help import Help
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.outcome import OperationDialog
from celtop.tui.screens.base.screen import MonitorScreen

K = TypeVar("K")

KEYMAP = Keymap().remapped(
    {
        "view.queues": "ctrl+q",
        "freeze": ["ctrl+f", ","],
        "window.shorter": "",
        "filter": "f8",
        "filter.list": "ctrl+k",
        "help": "f2",
        "quit": "",
        "task.revoke": "ctrl+x",
        "task.terminate": "X",
        "confirm.yes": "ctrl+y",
        "export": "f9",
        "back": "backspace",
        "faults": "f6",
        "act.details": "f7",
        "act.cancel": "ctrl+u",
        "refresh": "",
    }
)

WAITING = f"{9004:08x}-0000-4000-8000-{9004:012x}"


def subclasses(kind: type[K]) -> Iterator[type[K]]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_place_is_in_the_table_of_contexts_that_are_active_together() -> None:
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        importlib.import_module(module.name)
    places: list[tuple[Context, ...]] = [
        ("global", *screen.CONTEXTS) for screen in subclasses(MonitorScreen)
    ]
    places += [dialog.CONTEXTS for dialog in subclasses(Dialog)]
    assert len(places) > 20
    for place in places:
        assert any(set(group).issuperset(place) for group in ACTIVE_TOGETHER), place


@pytest.fixture
async def ui() -> AppUnderTest:  # type: ignore[misc]
    app, session = make_app(cluster(), keymap=KEYMAP)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.pause(0.1)
        yield AppUnderTest(app, session, pilot)


async def test_the_remapped_key_works_and_the_default_one_does_not(ui: AppUnderTest) -> None:
    await ui.press("p")
    assert not ui.app.context.frozen
    await ui.press("ctrl+f")
    assert ui.app.context.frozen
    await ui.press("comma")
    assert not ui.app.context.frozen
    await ui.press("4")
    assert ui.app.location.view == "overview"
    await ui.press("ctrl+q")
    assert ui.app.location.view == "queues"
    await ui.press("q")
    assert ui.app.return_code is None


async def test_in_the_filter_line(ui: AppUnderTest) -> None:
    await ui.press("2", "f8", *"mail", "down")
    assert "f8 filter" not in ui.text
    line = ui.screen.query_one(Filter)
    assert line.has_focus_within and ui.screen.filter_text == "mail"
    await ui.press("ctrl+k")
    assert not line.has_focus_within and ui.screen.filter_text == "mail"
    assert "f8 filter" in ui.text


async def test_an_operation_and_its_confirmation(ui: AppUnderTest) -> None:
    await ui.press("2")
    ui.table.move_to(WAITING)
    await ui.press("ctrl+x")
    dialog = await ui.dialog(ConfirmDialog)
    assert "n Cancel" in ui.text and "ctrl+y Revoke" in ui.text
    await ui.press("y")
    assert ui.app.screen is dialog
    await ui.press("ctrl+y")
    assert ui.app.screen is not dialog


async def test_the_menu_of_operations_shows_the_keys_and_takes_them(ui: AppUnderTest) -> None:
    await ui.press("2")
    ui.table.move_to(WAITING)
    await ui.press("A")
    menu = await ui.dialog(Menu)
    labels = {id_: label for id_, label, _ in menu.choices}
    assert labels["task.revoke"].startswith("ctrl+x  Revoke")
    assert labels["task.terminate"].startswith("X       Terminate")
    await ui.press("ctrl+x")
    assert (await ui.dialog(ConfirmDialog)).confirmation.title.startswith("Revoke")


async def test_bar_and_help_show_the_users_keys(ui: AppUnderTest) -> None:
    bar = ui.screen.query_one("#keys").text
    assert "ctrl+q Queues" in bar.replace("  ", " ")
    assert "f2 help" in bar and "quit" not in bar
    await ui.press("f2")
    text = str((await ui.dialog(Help)).text())
    assert f"  ctrl+f ,    {KEYMAP['freeze'].help.partition(';')[0]}" in text
    await ui.press("f2")
    assert isinstance(ui.screen, MonitorScreen)


async def test_a_running_operation_is_cancelled(ui: AppUnderTest) -> None:
    await ui.press("2")
    ui.table.move_to(WAITING)
    await ui.press("ctrl+x")
    await ui.dialog(ConfirmDialog)
    await ui.press("ctrl+y")
    ui.app.frame_loop.paint()
    await ui.pilot.pause()
    assert "f7 details" in screen_lines(ui.app)[-2]
    await ui.press("f7")
    dialog = await ui.dialog(OperationDialog)
    assert "Press ctrl+u to cancel" in str(dialog.text())
    [operation] = ui.session.operations
    await ui.press("u")
    assert not operation.cancelled
    await ui.press("ctrl+u")
    assert operation.cancelled
    operation.end()


async def test_texts_that_name_a_key(ui: AppUnderTest) -> None:
    await ui.press("2", "f8", *"nothing_like_this", "down")
    await ui.pilot.pause(0.2)
    assert "esc clears it" in ui.text
    await ui.press("ctrl+k")
    await ui.until(lambda: "backspace clears it" in ui.text)
    ui.app.copy("The result", "x" * 100_000)
    await ui.pilot.pause()
    [said] = ui.said
    assert "press f9 to save it" in said
