"""Hints: shown once, for a while, with the user's keys."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Final, cast

import pytest
from celtop.bindings import ACTIONS
from celtop.bindings.keymap import Keymap
from celtop.model.entities.task import Task
from celtop.tests.tui.app_under_test import Clock, run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.navigation import Location
from celtop.tui.screens.hints import HINTS, SHOWN_FOR
from celtop.tui.seen_hints import SeenHints


def test_each_hint_is_one_line_and_names_the_keys_that_it_needs() -> None:
    known = {action.id for action in ACTIONS}
    for hint in HINTS:
        assert set(hint.actions) <= known
        assert all(f"{{{action}}}" in hint.text for action in hint.actions)
        text = hint.text
        for action in hint.actions:
            text = text.replace(f"{{{action}}}", "key")
        assert "{" not in text and len(text) <= 78, hint.id


async def test_a_hint_is_shown_once_for_a_while(tmp_path: Path) -> None:
    async with run_app(cluster(20), Location("tasks"), size=(80, 24)) as ui:
        clock = cast(Clock, ui.app.context.clock)
        ui.app.context.seen_hints = SeenHints(tmp_path / "hints.json")

        def hint_at(now: float) -> str:
            clock.now = now
            ui.screen.paint_hint()
            return str(ui.screen.hint_bar.text) if ui.screen.hint_bar.display else ""

        start = clock.now
        await ui.press("space")
        ui.screen.paint_hint()
        marks = "A lists what can be done with the marked rows; U unmarks them"
        assert ui.screen.hint_bar.text == marks
        assert hint_at(start + SHOWN_FOR - 1) == marks
        assert hint_at(start + SHOWN_FOR + 1) == ""


async def test_a_hint_about_a_state_disappears_with_it(tmp_path: Path) -> None:
    async with run_app(cluster(20), Location("tasks"), size=(80, 24)) as ui:
        ui.app.context.seen_hints = SeenHints(tmp_path / "hints.json")
        await ui.press("p")
        ui.screen.paint_hint()
        assert "snapshot" in ui.screen.hint_bar.text
        await ui.press("p")
        ui.screen.paint_hint()
        assert "snapshot" not in ui.screen.hint_bar.text


async def test_in_read_only_mode_no_hint_is_about_changes(tmp_path: Path) -> None:
    async with run_app(cluster(20), Location("tasks"), read_only=True) as ui:
        ui.app.context.seen_hints = SeenHints(tmp_path / "hints.json")
        await ui.press("space")
        ui.screen.paint_hint()
        assert "marked" not in ui.screen.hint_bar.text


async def test_the_page_of_a_failed_task_has_its_hint_with_the_cursor_on_a_frame(
    tmp_path: Path,
) -> None:
    async with run_app(cluster(20), Location("tasks"), size=(80, 24)) as ui:
        await ui.press("!", "enter")
        assert ui.screen.current_row is not None and not isinstance(ui.screen.current_row, Task)
        ui.app.context.seen_hints = SeenHints(tmp_path / "hints.json")
        ui.screen.paint_hint()
        assert "copies its traceback" in ui.screen.hint_bar.text


async def test_a_short_terminal_has_no_line_for_a_hint(tmp_path: Path) -> None:
    async with run_app(cluster(20), size=(80, 24)) as ui:
        seen = ui.app.context.seen_hints = SeenHints(tmp_path / "hints.json")
        ui.screen.paint_hint()
        assert ui.screen.hint_bar.display
        await ui.pilot.resize_terminal(80, 15)
        await ui.until(lambda: not ui.screen.hint_bar.display)
        await ui.press("2", "space")
        assert not ui.screen.hint_bar.display and seen.is_new("marks")


TYPED: Final = frozenset({"filter", "search", "command"})
OTHER_KEYS: Final = {
    action.id: f"{modifiers}+f{1 + number // 7}"
    for modifiers, number in zip(
        cycle(("alt", "ctrl", "shift", "alt+ctrl", "alt+shift", "ctrl+shift", "alt+ctrl+shift")),
        range(len(ACTIONS)),
        strict=False,
    )
    if not TYPED & set((action := ACTIONS[number]).contexts) and not action.priority
}
"""Of each action that is not one of a typed line, a key that no other text contains."""


@pytest.mark.parametrize(
    ("view", "line", "typed"),
    [
        ("tasks", "filter", "nothing"),
        ("tasks", "command", "tasks"),
        ("scheduled", "filter", ""),
        ("overview", "command", ""),
        ("task", "search", "a"),
        ("charts", "command", ""),
    ],
)
async def test_while_a_line_is_typed_no_key_of_the_screen_is_named(
    tmp_path: Path, view: str, line: str, typed: str
) -> None:
    keymap = Keymap().remapped(OTHER_KEYS)
    async with run_app(cluster(20), Location("tasks"), size=(160, 40), keymap=keymap) as ui:
        ui.app.context.seen_hints = SeenHints(tmp_path / "hints.json")
        await ui.press(OTHER_KEYS["faults"], OTHER_KEYS["freeze"])
        if view == "task":
            await ui.press(OTHER_KEYS["open"])
        elif view == "charts":
            await ui.press(OTHER_KEYS["charts"])
        else:
            await ui.press(OTHER_KEYS[f"view.{view}"])
        ui.screen.paint()
        assert any(key in ui.text for key in OTHER_KEYS.values())
        assert ui.screen.hint_bar.display
        await ui.press(OTHER_KEYS[line], *typed)
        assert line == ui.screen.typing.CONTEXT
        assert not [key for key in OTHER_KEYS.values() if key in ui.text], ui.text
        assert not ui.screen.hint_bar.display
