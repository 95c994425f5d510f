"""Widgets are sent the events of a layout that they handle, and no others."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from celtop.widgets.compat.textual_internals import FrugalApp
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static


class Named(Static):
    """Handles the events by name."""

    DEFAULT_CSS = "Named { width: 50%; }"

    def __init__(self) -> None:
        super().__init__("named")
        self.handled: list[type] = []

    def on_resize(self, event: events.Resize) -> None:
        self.handled.append(type(event))

    def _on_show(self, event: events.Show) -> None:
        self.handled.append(type(event))


class Decorated(Static):
    """Handles one of them by the decorator."""

    def __init__(self) -> None:
        super().__init__("decorated")
        self.handled: list[type] = []

    @on(events.Resize)
    def sized(self, event: events.Resize) -> None:
        self.handled.append(type(event))


class Layout(FrugalApp):
    """Counts the events that each class of widget is sent."""

    CSS = "Static { height: 1 }"

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("plain")
            yield Named()
            yield Decorated()


async def test_only_widgets_with_a_handler_are_sent_the_events_of_a_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: Counter[tuple[type, type]] = Counter()
    dispatch = Widget._dispatch_message

    async def counted(self: Widget, message: Message) -> Any:
        sent[type(self), type(message)] += 1
        return await dispatch(self, message)

    monkeypatch.setattr(Widget, "_dispatch_message", counted)
    app = Layout()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert app.query_one(Named).handled == [events.Resize, events.Show]
        assert app.query_one(Decorated).handled == [events.Resize]
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert app.query_one(Named).handled == [events.Resize, events.Show, events.Resize]
        assert app.query_one(Decorated).handled == [events.Resize] * 2
    assert sent[Static, events.Mount] == 1
    assert not {(kind, event) for kind, event in sent if kind in (Static, Vertical)} & {
        (kind, event) for kind in (Static, Vertical) for event in (events.Resize, events.Show)
    }


async def test_default_style_sheets_are_added_once_for_each_class_of_widget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added: list[type] = []
    sheets_of = Widget._get_default_css

    def noted(self: Widget) -> Any:
        added.append(type(self))
        return sheets_of(self)

    monkeypatch.setattr(Widget, "_get_default_css", noted)
    for _ in range(2):  # each app has style sheets of its own
        added.clear()
        app = Layout()
        async with app.run_test() as pilot:
            await app.query_one(Vertical).mount(Named(), Static("more"))
            await pilot.pause()
            assert [named.size.width for named in app.query(Named)] == [40, 40]
        counted = Counter(added)
        assert counted[Named] == counted[Static] == counted[Vertical] == 1
