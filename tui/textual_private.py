"""All that we use of Textual's private names, each with the reason. Checked with Textual 8.2.8."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.filter import Monochrome, NoColor

_WRITES_IN_FLIGHT = 2


def terminal_is_behind(app: App[Any]) -> bool:
    """Tell whether the terminal reads slower than we write.

    Textual's writer blocks the event loop once 30 writes are queued, and there is no public way to
    ask: better to skip a frame. Where the driver has no such queue (Windows, tests), never.
    """
    thread = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(thread, "_queue", None)
    return queue is not None and bool(queue.qsize() > _WRITES_IN_FLIGHT)


async def press(app: App[Any], key: str) -> bool:
    """Do what a key is bound to, from the focused widget up to the app, and tell if it was bound.

    Textual first hands the key to the focused widget and looks at the bindings when it comes back:
    by then the next keys that were typed have gone where the focus should not be any more.
    """
    return bool(await app._check_bindings(key))


def drop_all_colour(app: App[Any]) -> None:
    """Send no colour codes at all, as NO_COLOR asks.

    Textual picks its filter before a theme can be chosen, and takes one that still sends greys.
    """
    filters = getattr(app, "_filters", None)
    if filters is not None:
        filters[:] = [NoColor() if isinstance(each, Monochrome) else each for each in filters]


def take_mouse(app: App[Any], on: bool) -> bool:
    """Take or give back the mouse while running; Textual can only do so at its start.

    Returns:
        Whether the driver could.
    """
    name = "_enable_mouse_support" if on else "_disable_mouse_support"
    driver: Any = getattr(app, "_driver", None)
    switch = getattr(driver, name, None)
    if switch is None:
        return False
    # The driver's own switch has no effect if the app was started without a mouse.
    driver._mouse = True
    switch()
    driver._mouse = on
    return True
