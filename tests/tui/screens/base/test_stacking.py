"""Widgets of a stack are mounted in its order, whichever of the others are mounted."""

from __future__ import annotations

from itertools import permutations

import pytest
from celtop.tui.screens.base.stacking import mount_among
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widget import MountError, Widget

NAMES = "abcd"


class Stack(App[None]):
    """A stack of which only the first one of an order is mounted."""

    def __init__(self, first: str) -> None:
        super().__init__()
        self.stack = [Widget(id=name) for name in NAMES]
        self.first = first

    def compose(self) -> ComposeResult:
        yield Vertical(self.stack[NAMES.index(self.first)])


@pytest.mark.parametrize("order", permutations(NAMES))
async def test_a_widget_is_mounted_in_its_place(order: tuple[str, ...]) -> None:
    app = Stack(order[0])
    async with app.run_test():
        for name in order[1:]:
            await mount_among(app.stack, app.stack[NAMES.index(name)])
        assert [widget.id for widget in app.query_one(Vertical).children] == [*NAMES]


async def test_without_any_that_is_mounted_there_is_no_place() -> None:
    app = Stack("a")
    async with app.run_test():
        stack = [Widget(), Widget()]
        with pytest.raises(MountError):
            mount_among(stack, stack[0])
