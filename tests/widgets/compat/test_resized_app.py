"""A terminal that is resized while the app is busy."""

from __future__ import annotations

import pytest
from celtop.widgets.compat.resized_app import ResizedApp
from celtop.widgets.compat.settled_screen import SettledScreen
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen

BEFORE = Size(70, 20)
NOW = Size(160, 40)


class Empty(ResizedApp):
    """An app without widgets, whose screen is not laid out twice in one size."""

    def get_default_screen(self) -> Screen[None]:
        return SettledScreen()


async def test_a_size_that_arrives_late_is_not_taken_for_that_of_the_terminal() -> None:
    app = Empty()
    async with app.run_test(size=NOW) as pilot:
        app.post_message(Resize(BEFORE, BEFORE))
        await pilot.pause(0.1)
        assert app.size == app.screen.size == NOW


async def test_a_resize_to_the_size_that_it_has_draws_the_screen_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Empty()
    async with app.run_test(size=NOW) as pilot:
        await pilot.pause(0.1)
        drawn: list[object] = []
        monkeypatch.setattr(app, "_display", lambda _screen, update: drawn.append(update))
        app.post_message(Resize(NOW, NOW))
        await pilot.pause(0.1)
        assert drawn
