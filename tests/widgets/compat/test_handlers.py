"""Handlers are found in the order, and under the conditions, in which Textual finds them."""

from __future__ import annotations

import pytest
from celtop.widgets.compat.handlers import known_handlers
from textual import on
from textual.events import Mount, Resize
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.widgets import Button


class Said(Message):
    """A message of a widget."""


class Base(Widget):
    """Handlers of all kinds."""

    def on_mount(self) -> None:
        """Handle an event."""

    def _on_said(self, message: Said) -> None:
        message.prevent_default()

    @on(Button.Pressed)
    def pressed(self) -> None:
        """Handle a message by the decorator."""


class Special(Base):
    """Handlers of its own, which come first."""

    def on_mount(self) -> None:
        """Handle an event."""

    def on_said(self) -> None:
        """Handle a message."""


class Preventing(Base):
    """A handler after which no other is called."""

    def on_mount(self, event: Mount) -> None:  # type: ignore[override]
        event.prevent_default()


class Decorated(Base):
    """A handler for one message with the name of that for another: the decorator decides."""

    @on(Button.Pressed)
    def on_said(self) -> None:
        """Handle a message by the decorator."""


@pytest.mark.parametrize("kind", [Base, Special, Preventing, Decorated, Button])
@pytest.mark.parametrize("message", [Mount(), Said(), Button.Pressed(Button())])
def test_the_handlers_are_those_that_textual_finds(kind: type[Widget], message: Message) -> None:
    pump = kind()
    name = message.handler_name
    find = known_handlers()
    expected = list(MessagePump._get_dispatch_methods(pump, name, message))
    assert list(find(pump, name, message)) == expected
    assert list(find(kind(), name, message)) != expected or not expected  # bound to the widget
    assert list(find(pump, name, message)) == expected


def test_no_handler_is_called_after_one_that_prevents_it() -> None:
    pump, event = Preventing(), Mount()
    called = []
    for owner, method in known_handlers()(pump, "on_mount", event):
        called.append(owner)
        if owner is Preventing:
            method(event)
    assert called == [Preventing]


def test_each_class_of_message_has_its_own_handlers() -> None:
    find, pump = known_handlers(), Base()
    assert list(find(pump, "on_mount", Mount()))
    assert [owner for owner, _ in find(pump, "on_resize", Resize.__new__(Resize))] == [
        owner for owner in Base.__mro__ if "_on_resize" in vars(owner) or "on_resize" in vars(owner)
    ]
