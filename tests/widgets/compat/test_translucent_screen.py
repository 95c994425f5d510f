"""Screens through which the one below shows."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.tests.widgets.screen_text import screen_strips, text_of
from celtop.widgets.compat.translucent_screen import TranslucentScreen
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Label


class Below(App[None]):
    """Text in several colours, with an action that the one above must not run."""

    CSS = """
    Screen { background: #202020; }
    #red { color: red; background: #004000; text-style: bold; width: 20; }
    Textuals, Ours { align: center middle; background: #000000 60%; }
    Textuals:ansi, Ours:ansi { background: transparent; }
    """

    def compose(self) -> ComposeResult:
        yield Label("red", id="red")
        yield Label(Content.from_markup("[@click=app.bell]click[/] and [$text-muted]muted[/]"))


class Textuals(ModalScreen[None]):
    """A dialog that Textual draws."""

    def compose(self) -> ComposeResult:
        yield Label("dialog")


class Ours(ModalScreen[None], TranslucentScreen[None]):
    """The same, drawn with the lines below."""

    def compose(self) -> ComposeResult:
        yield Label("dialog")


async def drawn(screen: type[ModalScreen[None]], theme: str, count: int = 1) -> list[Strip]:
    """Return the lines of a terminal with some of these dialogs above each other."""
    app = Below()
    async with app.run_test(size=(30, 7)) as pilot:
        app.theme = theme
        for _ in range(count):
            await app.push_screen(screen())
            await pilot.pause()
        return screen_strips(app)


def cells(lines: list[Strip]) -> list[list[Any]]:
    return [[tuple(one) for one in Segment.simplify(line)] for line in lines]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_the_screens_below_are_tinted_as_textual_does(theme: str, count: int) -> None:
    lines = await drawn(Ours, theme, count)
    assert text_of(lines[0]).startswith("red") and "dialog" in text_of(lines[3])
    assert cells(lines) == cells(await drawn(Textuals, theme, count))


async def test_lines_below_that_are_not_laid_out_yet_are_blank() -> None:
    app = Below()
    async with app.run_test(size=(30, 7)) as pilot:
        await app.push_screen(Ours())
        await pilot.pause()
        low = app.screen_stack[0]._compositor
        low.reflow(app.screen_stack[0], low.size.with_height(3))
        lines = app.screen.render_lines(app.screen.region)
        assert len(lines) == 7 and text_of(lines[6]) == " " * 30
