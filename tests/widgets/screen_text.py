"""Widgets as the lines of text that they put on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from celtop.widgets.colours import STATE_COLOURS
from rich.style import Style
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

HOSTILE = "[/][link=x]\x1b[2J\u202e\n\x07"
"""Text of a cluster that would move the cursor or be read as markup."""
SHOWN = "[/][link=x]\\x1b[2J<U+202E>"
"""The beginning of it as it must be drawn."""

M = TypeVar("M", bound=Message)


class OneWidget(App[None]):
    """An app with nothing but the widget under test."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget

    def compose(self) -> ComposeResult:
        yield self._widget

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {**STATE_COLOURS, "frame": "#808080"}


def screen_strips(app: App[Any]) -> list[Strip]:
    """Return the screen as Textual drew it; there is no public way to get it."""
    return app.screen._compositor.render_strips()


def screen_text(app: App[Any]) -> list[str]:
    """Return the lines of the screen, without trailing blanks."""
    return [text_of(strip).rstrip() for strip in screen_strips(app)]


@dataclass
class Shown:
    """A widget on a screen."""

    pilot: Pilot[None]
    posted: dict[int, Message] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """The screen as text, without trailing blanks."""
        return screen_text(self.pilot.app)

    @property
    def strips(self) -> list[Strip]:
        """The screen as Textual drew it."""
        return screen_strips(self.pilot.app)

    def of(self, kind: type[M]) -> list[M]:
        """The messages of one kind that were posted, in their order."""
        return [message for message in self.posted.values() if isinstance(message, kind)]

    def style_at(self, x: int, y: int) -> Style:
        """The style of a cell of the screen."""
        at = 0
        for segment in self.strips[y]:
            at += segment.cell_length
            if x < at:
                return segment.style or Style.null()
        raise AssertionError(f"nothing at {x}, {y}")

    async def settle(self) -> None:
        """Let Textual handle all that was posted."""
        await self.pilot.pause()

    async def until(self, holds: Callable[[], bool], tries: int = 400) -> None:
        """Wait until something holds; fail when it does not within some seconds."""
        for _ in range(tries):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError("did not come to hold:\n" + "\n".join(self.lines))


def text_of(strip: Strip) -> str:
    """The characters of a strip."""
    return "".join(segment.text for segment in strip)


@asynccontextmanager
async def shown(widget: Widget, width: int = 60, height: int = 10) -> AsyncIterator[Shown]:
    """Run an app that shows a widget, in a terminal of the given size."""
    posted: dict[int, Message] = {}

    def hear(message: Message) -> None:
        # A message is reported once by each that it passes.
        posted.setdefault(id(message), message)

    async with OneWidget(widget).run_test(size=(width, height), message_hook=hear) as pilot:
        await pilot.pause()
        yield Shown(pilot, posted)
