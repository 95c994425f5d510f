"""Events of a layout, which are sent only to widgets that handle them.

It stands in for `Widget.post_message`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual import events
from textual.message import Message
from textual.widget import Widget

from .handlers import handlers_by_name

EVENTS: Final = frozenset({events.Resize, events.Show})
"""What a layout sends to each widget. `Widget` itself handles `Show`, but only passes it on to its
scrollbars, which do nothing with it."""


def post_heard() -> Callable[[Widget, Message], bool]:
    """Return a substitute for `post_message` that leaves out what the widget does not handle.

    Each message wakes the task of its widget. A page of 25 widgets would get 60 of them.
    """
    heard: dict[tuple[type, type], bool] = {}
    post = Widget.post_message

    def post_message(widget: Widget, message: Message) -> bool:
        if type(message) in EVENTS:
            kind = (type(widget), type(message))
            if kind not in heard:
                found = handlers_by_name(*kind, message.handler_name)
                heard[kind] = found is None or any(owner is not Widget for owner, _ in found)
            if not heard[kind]:
                return False
        return post(widget, message)

    return post_message
