"""Parts of a widget are drawn again without messages, and in any state of the app."""

from __future__ import annotations

import asyncio

from celtop.widgets.compat.direct_refresh import DirectRefresh
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.messages import Update
from textual.strip import Strip
from textual.widgets import Static


class Word(DirectRefresh):
    """One word."""

    DEFAULT_CSS = "Word { height: 1; }"
    word = "before"
    drawn = ""

    def render_line(self, y: int) -> Strip:
        self.drawn = self.word
        return Strip.blank(self.size.width)

    def show(self, word: str) -> None:
        self.word = word
        self.refresh_parts([Region(0, 0, 6, 1)])


class OneWord(App[None]):
    """A widget that is refreshed directly, and one that is not displayed."""

    def compose(self) -> ComposeResult:
        yield Word()
        yield Static("other")


async def until_drawn(word: Word, text: str) -> None:
    """Wait, without a message to the app, which would draw the widget as well."""
    async with asyncio.timeout(20):
        while word.drawn != text:
            await asyncio.sleep(0.005)


async def test_parts_are_drawn_without_messages() -> None:
    updates: list[Update] = []

    def hook(message: object) -> None:
        if isinstance(message, Update):
            updates.append(message)

    app = OneWord()
    async with app.run_test(message_hook=hook) as pilot:
        word = app.query_one(Word)
        await until_drawn(word, "before")
        await pilot.pause(0.1)  # no message is left that would have it drawn, too
        updates.clear()
        word.show("after")
        await until_drawn(word, "after")
        assert updates == []


async def test_parts_are_drawn_after_a_batch_and_when_displayed_again() -> None:
    app = OneWord()
    async with app.run_test() as pilot:
        word = app.query_one(Word)
        with app.batch_update():
            word.show("batch")
        await until_drawn(word, "batch")
        word.display = False
        await pilot.pause()
        word.show("hidden")
        word.display = True
        await until_drawn(word, "hidden")


async def test_an_unmounted_widget_is_drawn_when_it_is_mounted() -> None:
    app, word = OneWord(), Word()
    word.show("early")
    async with app.run_test():
        await app.mount(word)
        await until_drawn(word, "early")
