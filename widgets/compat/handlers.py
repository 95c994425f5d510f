"""Message handlers that are looked up once for each class of widget and of message.

It stands in for the private `MessagePump._get_dispatch_methods`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

from textual.message import Message
from textual.message_pump import MessagePump

Handler: TypeAlias = tuple[type, Any]
"""A class, and its function or other descriptor that handles a message."""


def known_handlers() -> Callable[
    [MessagePump, str, Message], Iterator[tuple[type, Callable[[Message], Awaitable[object]]]]
]:
    """Return a substitute for `_get_dispatch_methods` that keeps what it has found.

    A page of 20 widgets gets 600 messages until it is displayed, and of most classes of a widget
    none has a handler. What the decorator `on` selects by the sender is left to Textual.
    """
    found: dict[tuple[type, type, str], tuple[Handler, ...] | None] = {}
    search = MessagePump._get_dispatch_methods

    def handlers(
        pump: MessagePump, name: str, message: Message
    ) -> Iterator[tuple[type, Callable[[Message], Awaitable[object]]]]:
        kind = (type(pump), type(message), name)
        if kind not in found:
            found[kind] = handlers_by_name(*kind)
        known = found[kind]
        if known is None:
            yield from search(pump, name, message)
            return
        for owner, method in known:
            if message._no_default_action:
                return
            yield owner, method.__get__(pump, owner)

    return handlers


def handlers_by_name(pump: type, message: type, name: str) -> tuple[Handler, ...] | None:
    """Return the handlers by name, the most special first; None if there are decorated ones."""
    owners = [(owner, vars(owner)) for owner in pump.__mro__]
    for _, names in owners:
        if not names.get("_decorated_handlers", {}).keys().isdisjoint(message.__mro__):
            return None
    named = ((owner, names.get(f"_{name}") or names.get(name)) for owner, names in owners)
    return tuple(
        (owner, method)
        for owner, method in named
        if method is not None and not getattr(method, "_textual_on", None)
    )
