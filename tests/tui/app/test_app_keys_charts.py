"""What each key on the charts page, and for the window of charts, does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all
from celtop.tui.pages.charts import ChartsScreen


async def opened(ui: AppUnderTest) -> ChartsScreen:
    """Open the charts page."""
    await ui.press("c")
    screen = ui.app.screen
    assert isinstance(screen, ChartsScreen)
    await ui.until(lambda: screen.tiles[0].size.height > 2)
    return screen


@checks("charts", sharing=True)
async def _charts(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert isinstance(ui.app.screen, ChartsScreen)


@checks("window.shorter", "window.longer")
async def _window(ui: AppUnderTest, key: str) -> None:
    assert ui.app.context.chart_seconds == 900
    await ui.press(key)
    assert ui.app.context.chart_seconds == {",": 300, ".": 3_600}[key]


@checks("window.yesterday")
async def _yesterday(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert ui.said == ["Yesterday's values need the history, which is off"]


@checks("charts.earlier", "charts.later", sharing=True)
async def _cursor(ui: AppUnderTest, key: str) -> None:
    screen = await opened(ui)
    await ui.press("left", "left")
    before = screen.cursor or 0.0
    await ui.press(key)
    assert screen.cursor is not None
    assert (screen.cursor < before) == (key in ("left", "h"))


@checks("charts.newest", sharing=True)
async def _newest(ui: AppUnderTest, key: str) -> None:
    screen = await opened(ui)
    await ui.press("left", "left", key)
    assert screen.cursor is None


@checks("charts.tasks", sharing=True)
async def _tasks(ui: AppUnderTest, key: str) -> None:
    await opened(ui)
    await ui.press("left", key)
    assert ui.app.location.path[-1].subject.startswith("finished:")


@checks("charts.down", "charts.up", "charts.next", "charts.previous", sharing=True)
async def _focus(ui: AppUnderTest, key: str) -> None:
    screen = await opened(ui)
    await ui.press("down")
    steps = {"down": 2, "j": 2, "up": -2, "k": -2, "tab": 1, "shift+tab": -1}
    await ui.press(key)
    assert screen.focused is screen.tiles[2 + steps[key]]


@checks("charts.zoom", sharing=True)
async def _zoom(ui: AppUnderTest, key: str) -> None:
    screen = await opened(ui)
    await ui.press(key)
    assert [tile.display for tile in screen.tiles] == [True, *[False] * 5]


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)
