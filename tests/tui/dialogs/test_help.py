"""The text of the help."""

from __future__ import annotations

import pytest
from celtop.bindings import ACTIONS
from celtop.bindings.keymap import Keymap
from celtop.bindings.purposes import OTHER, purpose
from celtop.tests.tui.app_under_test import run_app
from celtop.tui.dialogs.help import Help
from textual.containers import VerticalScroll
from textual.strip import Strip
from textual.widgets import Static

TASKS = ("list", "stream", "tasks")


def test_the_keys_of_the_screen_come_first_by_purpose() -> None:
    here, _, elsewhere = str(Help(Keymap(), TASKS).text()).partition("Elsewhere")  # type: ignore[arg-type]
    titles = [line for line in here.split("\n") if line and not line.startswith(" ")][1:]
    assert (
        titles[:3] == ["Look closer", "Find", "Change the cluster"]
        and titles[-1] == "Filter syntax"
    )
    assert "  R           Retry: Send the same task again under a new id" in here
    assert "Drain" not in here and "Drain: Stop consuming, finish" in elsewhere


def test_the_part_for_the_screen_is_short_and_fits_the_terminal() -> None:
    here = str(Help(Keymap(), TASKS).text()).partition("Filter syntax")[0]  # type: ignore[arg-type]
    assert len(here.split("\n")) < 60
    narrow = str(Help(Keymap(), TASKS, width=80).text())  # type: ignore[arg-type]
    assert max(map(len, narrow.partition("Filter syntax")[0].split("\n"))) <= 74


def test_every_action_is_in_the_help_by_its_text_or_its_label() -> None:
    text = " ".join(str(Help(Keymap(), TASKS).text()).split())  # type: ignore[arg-type]
    missing = [one.id for one in ACTIONS if one.help not in text and one.label not in text]
    assert not missing


def test_every_action_of_a_screen_has_a_purpose() -> None:
    typing = {"filter", "search", "command", "form", "dialog", "confirm", "operation", "columns"}
    on_screens = [one for one in ACTIONS if not typing & set(one.contexts)]
    assert [one.id for one in on_screens if purpose(one) == OTHER] == []


def test_arrows_are_words_in_ascii() -> None:
    assert str(Help(Keymap(), TASKS, ascii_only=True).text()).isascii()  # type: ignore[arg-type]


async def test_keys_of_other_screens_are_drawn_when_they_come_into_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[Static] = []
    render_line = Static.render_line

    def recorded(static: Static, y: int) -> Strip:
        drawn.append(static)
        return render_line(static, y)

    async with run_app() as on:
        monkeypatch.setattr(Static, "render_line", recorded)
        await on.press("?")
        help_ = await on.dialog(Help)
        here, _, elsewhere = help_.query(Static)
        assert here in drawn and elsewhere not in drawn
        assert help_._layouts == 1  # its style sheet is read before, its scrollbar is there
        help_.query_one(VerticalScroll).scroll_end(animate=False)
        await on.until(lambda: elsewhere in drawn)
