"""Tables that look alike share their styles; others do not."""

from __future__ import annotations

import pytest
from celtop.tests.widgets.row_list import rows, table
from celtop.tests.widgets.screen_text import OneWidget
from celtop.widgets.compat.component_style import component_style
from celtop.widgets.table import look_styles
from celtop.widgets.table.look_styles import look_styles as styles_of
from rich.style import Style
from textual.containers import Vertical
from textual.widget import Widget


class Tables(OneWidget):
    """Tables on two backgrounds."""

    CSS = """
    LiveTable {
        background: transparent;
        height: 2;
        &.special > .livetable--muted { color: lime; }
        &:disabled > .livetable--muted { color: red; }
        &:focus > .livetable--muted { color: aqua; }
    }
    .other { background: red; }
    """

    def __init__(self) -> None:
        self.alike = table(rows(1)), table(rows(1))
        self.other = table(rows(1))
        super().__init__(Vertical(*self.alike, Vertical(self.other, classes="other")))


async def test_tables_that_look_alike_are_styled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    styled: list[str] = []

    def noted(widget: Widget, name: str) -> Style:
        styled.append(name)
        return component_style(widget, name)

    monkeypatch.setattr(look_styles, "component_style", noted)
    app = Tables()
    async with app.run_test() as pilot:
        app.set_focus(None)
        await pilot.pause()
        first, second = app.alike
        muted = styles_of(first, "cursor", ())["muted"]
        styled.clear()
        assert styles_of(second, "cursor", ())["muted"] == muted
        assert styled == []
        assert styles_of(second, "marked", ())["muted"] != muted
        assert styles_of(app.other, "", ())["muted"] != styles_of(first, "", ())["muted"]
        app.theme = "textual-light"
        await pilot.pause()
        assert styles_of(second, "cursor", ())["muted"] != muted


async def test_tables_in_another_state_have_styles_of_their_own() -> None:
    app = Tables()
    async with app.run_test() as pilot:
        app.set_focus(None)
        await pilot.pause()
        first, second = app.alike

        def colour() -> str:
            style = styles_of(second, "", ())["muted"]
            return "" if style.color is None else style.color.name

        plain = styles_of(first, "", ())["muted"]
        assert styles_of(second, "", ())["muted"] == plain
        second.add_class("special")
        assert colour() == "#00ff00"
        second.focus()
        await pilot.pause()
        assert colour() == "#00ffff"
        app.set_focus(None)
        second.remove_class("special")
        second.disabled = True
        await pilot.pause()
        assert colour() == "#ff0000"
        second.disabled = False
        await pilot.pause()
        assert styles_of(second, "", ())["muted"] == plain
