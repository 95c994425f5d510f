"""A screen is displayed when it has its contents and its layout, and not before."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.widgets.compat.settled_screen import MAX_LAYOUTS, SettledScreen
from celtop.widgets.compat.textual_internals import FrugalApp
from textual._compositor import Compositor
from textual.app import ComposeResult
from textual.events import Resize
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.scrollbar import ScrollBar
from textual.widgets import Input, Static


class Shown(FrugalApp):
    """Counts the layouts and the displays of each screen."""

    def __init__(self) -> None:
        super().__init__()
        self.displays: list[tuple[Screen[Any], str]] = []

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None:
            lines = [strip.text.strip() for strip in screen._compositor.render_strips()]
            self.displays.append((screen, " ".join(filter(None, lines))))
        super()._display(screen, renderable)

    def of(self, screen: Screen[Any]) -> list[str]:
        return [text for displayed, text in self.displays if displayed is screen]


class Growing(SettledScreen[None]):
    """A screen whose content follows from the sizes of earlier layouts."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.lines = lines
        self.text = Static("empty", markup=False)

    def compose(self) -> ComposeResult:
        yield self.text

    def on_mount(self) -> None:
        self.lay_out()
        self.settle()

    def settle(self) -> None:
        if self.text.size.height < self.lines:
            self.text.update("\n".join(map(str, range(self.text.size.height + 1))))


class Changing(Growing):
    """A screen whose content has all its lines once the width is known."""

    def settle(self) -> None:
        self.text.update("\n".join(map(str, range(self.lines))))
        self.lay_out_changes()
        self.lay_out_changes()  # nothing has changed


class Covering(ModalScreen[None]):
    """A dialog."""

    CSS = "Covering { align: center bottom; } Covering Static { width: 8; }"

    def compose(self) -> ComposeResult:
        yield Static("covers")


async def test_a_new_screen_is_displayed_once_with_what_follows_from_its_layouts() -> None:
    app = Shown()
    async with app.run_test(size=(20, 12)) as pilot:
        screen = Growing(3)
        await app.push_screen(screen)
        await pilot.pause(0.1)
        assert app.of(screen) == ["0 1 2"]
        assert screen._layouts <= 3


async def test_changes_are_laid_out_at_once_until_the_screen_is_displayed() -> None:
    app = Shown()
    async with app.run_test(size=(20, 12)) as pilot:
        screen = Changing(3)
        await app.push_screen(screen)
        assert screen.text.size.height == 3
        await pilot.pause(0.1)
        assert app.of(screen) == ["0 1 2"]
        assert screen._layouts == 2
        screen.lines = 4
        screen.settle()
        assert screen.text.size.height == 3  # with the next update, as usual
        await pilot.pause(0.1)
        assert app.of(screen)[-1] == "0 1 2 3"


async def test_a_screen_that_never_settles_is_displayed_nevertheless() -> None:
    app = Shown()
    async with app.run_test(size=(20, 12)) as pilot:
        screen = Growing(1_000)
        await app.push_screen(screen)
        await pilot.pause(0.2)
        assert screen.settled
        assert app.of(screen)
        assert screen._layouts >= MAX_LAYOUTS


async def test_a_covered_screen_still_shows_what_changes() -> None:
    app = Shown()
    async with app.run_test(size=(20, 12)) as pilot:
        screen = Growing(2)
        await app.push_screen(screen)
        await pilot.pause(0.1)
        dialog = Covering()
        await app.push_screen(dialog)
        await pilot.pause(0.1)
        screen.text.update("later")
        await pilot.pause(0.1)
        assert "later" in app.of(dialog)[-1]
        app.pop_screen()
        await pilot.pause(0.1)
        assert app.of(screen)[-1] == "later"


async def test_another_size_is_laid_out() -> None:
    app = Shown()
    async with app.run_test(size=(20, 12)) as pilot:
        screen = Growing(1)
        await app.push_screen(screen)
        await pilot.pause(0.1)
        await pilot.resize_terminal(30, 8)
        await pilot.pause(0.1)
        assert screen.size == (30, 8)
        assert screen.text.size.width == 30


class Resized(Growing):
    """A screen whose terminal changes its size again just before a layout for the one before."""

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        if size == (20, 6):
            resize(self, Size(40, 8))
        super()._refresh_layout(size, scroll)


def resize(screen: Screen[Any], size: Size) -> None:
    """Do what Textual does when the terminal has another size."""
    screen.app._size = size
    screen.post_message(Resize(size, size))


async def test_the_last_of_two_sizes_in_quick_succession_is_laid_out() -> None:
    app = Shown()
    async with app.run_test(size=(40, 8)) as pilot:
        screen = Resized(1)
        await app.push_screen(screen)
        await pilot.pause()
        resize(screen, Size(20, 6))
        await pilot.pause()
        assert screen._compositor.size == (40, 8)
        assert screen.text.region.width == 40


class Typing(SettledScreen[None]):
    """A screen that focuses an input itself."""

    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.input = Input()
        self.states: list[bool] = []

    def compose(self) -> ComposeResult:
        yield self.input

    def on_mount(self) -> None:
        self.set_focus(self.input)
        self.lay_out()

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        self.states.append(self.input.has_focus)
        super()._refresh_layout(size, scroll)


async def test_what_is_focused_has_the_focus_in_the_first_layout() -> None:
    app = Shown()
    async with app.run_test(size=(20, 12)) as pilot:
        screen = Typing()
        await app.push_screen(screen)
        await pilot.press("a")
        assert screen.states[0]
        assert screen.input.value == "a"

        app.app_focus = False
        screen = Typing()
        await app.push_screen(screen)
        await pilot.pause()
        assert not screen.states[0]


async def test_widgets_are_arranged_once_for_each_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    arranged: list[Screen[Any]] = []
    arrange = Compositor._arrange_root

    def noted(compositor: Compositor, root: Any, *args: Any, **options: Any) -> Any:
        arranged.append(root)
        return arrange(compositor, root, *args, **options)

    monkeypatch.setattr(Compositor, "_arrange_root", noted)
    app = Shown()
    async with app.run_test(size=(20, 12)) as pilot:
        screen = Growing(3)
        await app.push_screen(screen)
        await pilot.pause(0.1)
        assert arranged.count(screen) == screen._layouts
        assert screen.text.region.height == 3

        without_lines = Static("")
        await screen.mount(without_lines)
        await pilot.pause(0.1)
        arranged.clear()
        without_lines.refresh()  # in the layout, but not visible
        await pilot.pause(0.1)
        assert screen.text.region.height == 3
        assert arranged == []


async def test_only_a_widget_that_is_new_outdates_the_map_of_a_layout() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        screen = Growing(1)
        await app.push_screen(screen)
        await pilot.pause()
        compositor = screen._compositor
        assert not compositor._full_map_invalidated
        compositor.update_widgets({screen.text, ScrollBar()})
        assert not compositor._full_map_invalidated
        compositor.update_widgets({Static()})
        assert compositor._full_map_invalidated
        compositor.update_widgets({ScrollBar()})
        assert compositor._full_map_invalidated


async def test_no_layout_follows_because_there_are_no_notifications() -> None:
    app = Shown()
    async with app.run_test(size=(40, 12), notifications=True) as pilot:
        screen = Changing(3)
        await app.push_screen(screen)
        await pilot.pause(0.2)
        assert screen._layouts == 2
        app.notify("shown")
        await pilot.pause(0.1)
        other = Changing(3)
        await app.push_screen(other)
        await pilot.pause(0.1)
        assert "shown" in app.of(other)[-1]
