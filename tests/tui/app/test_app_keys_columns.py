"""What the keys of the column chooser do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all
from celtop.tui.dialogs.columns import ColumnChooser


async def chooser(ui: AppUnderTest) -> ColumnChooser:
    """Open the chooser of the log, with the cursor on its second column."""
    await ui.press("7", ":", *"columns", "enter")
    dialog = await ui.dialog(ColumnChooser)
    await ui.press("j")
    return dialog


def layout(dialog: ColumnChooser) -> str:
    return " ".join(map(str, dialog.chosen))


@checks("columns.toggle", sharing=True)
async def _toggle(ui: AppUnderTest, key: str) -> None:
    dialog = await chooser(ui)
    await ui.press(key)
    assert layout(dialog) == "at source text"


@checks("columns.up", sharing=True)
async def _up(ui: AppUnderTest, key: str) -> None:
    dialog = await chooser(ui)
    await ui.press(key)
    assert layout(dialog) == "level at source text"


@checks("columns.down", sharing=True)
async def _down(ui: AppUnderTest, key: str) -> None:
    dialog = await chooser(ui)
    await ui.press(key)
    assert layout(dialog) == "at source level text"


@checks("columns.narrower", sharing=True)
async def _narrower(ui: AppUnderTest, key: str) -> None:
    dialog = await chooser(ui)
    await ui.press(key)
    assert layout(dialog) == "at level:6 source text"


@checks("columns.wider", sharing=True)
async def _wider(ui: AppUnderTest, key: str) -> None:
    dialog = await chooser(ui)
    await ui.press(key, key)
    assert layout(dialog) == "at level:9 source text"


@checks("columns.reset", sharing=True)
async def _reset(ui: AppUnderTest, key: str) -> None:
    dialog = await chooser(ui)
    await ui.press("space", key)
    assert layout(dialog) == ""


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)
