"""Parts of a widget are drawn again without messages, and in any state of the app."""

from __future__ import annotations

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


async def test_parts_are_drawn_without_messages() -> None:
    updates: list[Update] = []

    def hook(message: object) -> None:
        if isinstance(message, Update):
            updates.append(message)

    app = OneWord()
    async with app.run_test(message_hook=hook) as pilot:
        word = app.query_one(Word)
        await pilot.pause(0.1)
        updates.clear()
        word.show("after")
        await pilot.pause(0.1)
        assert (word.drawn, updates) == ("after", [])


async def test_parts_are_drawn_after_a_batch_and_when_displayed_again() -> None:
    app = OneWord()
    async with app.run_test() as pilot:
        word = app.query_one(Word)
        with app.batch_update():
            word.show("batch")
        await pilot.pause(0.1)
        assert word.drawn == "batch"
        word.display = False
        await pilot.pause(0.1)
        word.show("hidden")
        word.display = True
        await pilot.pause(0.1)
        assert word.drawn == "hidden"


async def test_an_unmounted_widget_is_drawn_when_it_is_mounted() -> None:
    app, word = OneWord(), Word()
    word.show("early")
    async with app.run_test() as pilot:
        await app.mount(word)
        await pilot.pause(0.1)
        assert word.drawn == "early"
