"""An exchange that events are published to, as the subscriptions need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from kombu.connection import Connection

OnBody: TypeAlias = Callable[[bytes, str], None]
"""Called with each message's body and content type."""
OnUnreadable: TypeAlias = Callable[[str], None]
"""Called for each message whose body cannot be reached, with the reason."""


class EventExchange(NamedTuple):
    """An exchange that events are published to, and what receives its messages."""

    connection: Connection
    name: str
    """The app's `event_exchange`."""
    on_body: OnBody
    on_unreadable: OnUnreadable
