"""Screens that are opened and removed, also before they are mounted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from celtop.widgets.compat.mounting_app import MountingApp
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

STEPS = 12
"""Steps of the event loop after which the screen is mounted for certain."""


class Titled(Vertical):
    """A widget that looks up one of its own when it is mounted."""

    def compose(self) -> ComposeResult:
        yield Static(id="title")

    def on_mount(self) -> None:
        self.query_one("#title", Static).update("opened")
        self.mount(Static("more"))


class Opened(Screen[None]):
    """A screen that does the same, one level higher."""

    opened = False

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Titled()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = "opened"
        self.opened = True


class Counted(Screen[None]):
    """A screen that counts its layouts."""

    layouts = 0

    def _refresh_layout(self, *args: Any, **options: Any) -> None:
        self.layouts += 1
        super()._refresh_layout(*args, **options)


class Empty(MountingApp):
    """An app without widgets."""


async def steps(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("number", range(STEPS))
async def test_a_screen_that_is_closed_while_it_is_mounted_is_removed_after_that(
    number: int,
) -> None:
    app = Empty()
    async with app.run_test() as pilot:
        screen = Opened()
        app.push_screen(screen)
        await steps(number)
        await app.pop_screen()
        assert screen.opened
        assert not screen.is_running and not screen.is_attached
        await pilot.pause()
        assert not [node for node in app._registry if isinstance(node, Opened | Titled)]


@pytest.mark.parametrize("number", range(STEPS))
async def test_an_app_ends_without_an_error_while_a_screen_is_mounted(number: int) -> None:
    app = Empty()
    async with app.run_test():
        app.push_screen(Opened())
        await steps(number)
        app.exit(return_code=3)
    assert app.return_code == 3


async def test_a_screen_is_not_laid_out_because_it_is_mounted_or_another_is_removed() -> None:
    app = Empty()
    async with app.run_test() as pilot:
        first, second = Counted(), Counted()
        await app.push_screen(first)
        await pilot.pause()
        mounting = app.push_screen(second)
        await pilot.pause()
        before = first.layouts, second.layouts
        await mounting
        await pilot.pause()
        assert (first.layouts, second.layouts) == before
        await app.pop_screen()
        await pilot.pause()
        assert (first.layouts, second.layouts) == before
        await first.mount(Static("more"))
        await pilot.pause()
        assert first.layouts > before[0]


async def test_a_widget_that_is_missing_while_the_app_runs_is_an_error() -> None:
    class Wrong(Screen[None]):
        def on_mount(self) -> None:
            self.query_one("#nowhere")

    with pytest.raises(Exception, match="#nowhere"):
        async with Empty().run_test() as pilot:
            await pilot.app.push_screen(Wrong())


async def test_another_error_is_one_also_while_the_app_ends() -> None:
    app = Empty()
    with pytest.raises(ZeroDivisionError):
        async with app.run_test():
            app.exit()
            app._handle_exception(ZeroDivisionError())
