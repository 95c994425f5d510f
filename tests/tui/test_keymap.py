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
from celtop.tests.tui.fake_session import cluster, screen_lines, staged
from celtop.tests.tui.key_checks import Stage
from celtop.tui.bars.filter import Filter
from celtop.tui.dialogs.base import Dialog
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.help import Help
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.outcome import OperationDialog
from celtop.tui.screens.base import MonitorScreen

K = TypeVar("K")

KEYMAP = Keymap().remapped(
    {
        "view.queues": "ctrl+q",
        "freeze": ["ctrl+f", ","],
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
async def stage() -> Stage:  # type: ignore[misc]
    app, session = staged(cluster(), keymap=KEYMAP)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.pause(0.1)
        yield Stage(app, session, pilot)


async def test_the_remapped_key_works_and_the_default_one_does_not(stage: Stage) -> None:
    await stage.press("p")
    assert not stage.app.context.frozen
    await stage.press("ctrl+f")
    assert stage.app.context.frozen
    await stage.press("comma")
    assert not stage.app.context.frozen
    await stage.press("4")
    assert stage.app.location.view == "overview"
    await stage.press("ctrl+q")
    assert stage.app.location.view == "queues"
    await stage.press("q")
    assert not stage.app._exit


async def test_in_the_filter_line(stage: Stage) -> None:
    await stage.press("2", "f8", *"mail", "down")
    line = stage.screen.query_one(Filter)
    assert line.has_focus_within and stage.screen.filter_text == "mail"
    await stage.press("ctrl+k")
    assert not line.has_focus_within and stage.screen.filter_text == "mail"


async def test_an_operation_and_its_confirmation(stage: Stage) -> None:
    await stage.press("2")
    stage.table.move_to(WAITING)
    await stage.press("ctrl+x")
    dialog = await stage.dialog(ConfirmDialog)
    await stage.press("y")
    assert stage.app.screen is dialog
    await stage.press("ctrl+y")
    assert stage.app.screen is not dialog


async def test_the_menu_of_operations_shows_the_keys_and_takes_them(stage: Stage) -> None:
    await stage.press("2")
    stage.table.move_to(WAITING)
    await stage.press("A")
    menu = await stage.dialog(Menu)
    labels = {id_: label for id_, label, _ in menu.choices}
    assert labels["task.revoke"].startswith("ctrl+x  Revoke")
    assert labels["task.terminate"].startswith("X       Terminate")
    await stage.press("ctrl+x")
    assert (await stage.dialog(ConfirmDialog)).confirmation.title.startswith("Revoke")


async def test_bar_and_help_show_the_users_keys(stage: Stage) -> None:
    bar = stage.screen.query_one("#keys").text
    assert "ctrl+q Queues" in bar.replace("  ", " ")
    assert "f2 help" in bar and "quit" not in bar
    await stage.press("f2")
    text = str((await stage.dialog(Help)).content())
    assert f"  ctrl+f ,          {KEYMAP['freeze'].help}" in text
    await stage.press("f2")
    assert isinstance(stage.screen, MonitorScreen)


async def test_a_running_operation_is_cancelled(stage: Stage) -> None:
    await stage.press("2")
    stage.table.move_to(WAITING)
    await stage.press("ctrl+x")
    await stage.dialog(ConfirmDialog)
    await stage.press("ctrl+y")
    stage.app.frame_loop.paint()
    await stage.pilot.pause()
    assert "f7 details" in screen_lines(stage.app)[-2]
    await stage.press("f7")
    dialog = await stage.dialog(OperationDialog)
    assert "Press ctrl+u to cancel" in str(dialog.text())
    [operation] = stage.session.operations
    await stage.press("u")
    assert not operation.cancelled
    await stage.press("ctrl+u")
    assert operation.cancelled
    operation.end()


async def test_texts_that_name_a_key(stage: Stage) -> None:
    await stage.press("2", "f8", *"nothing_like_this", "down")
    await stage.pilot.pause(0.2)
    assert "backspace clears it" in "\n".join(screen_lines(stage.app))
    stage.app.copy("The result", "x" * 100_000)
    await stage.pilot.pause()
    [notice] = stage.app._notifications
    assert "press f9 to save it" in notice.message
