"""All that we use of Textual's private names, each with the reason. Checked with Textual 8.2.8."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual._compositor import ChopsUpdate, CompositorUpdate
from textual.app import App
from textual.filter import Monochrome, NoColor

from .sgr import Pen

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from textual.screen import Screen

_WRITES_IN_FLIGHT = 2


def terminal_is_behind(app: App[Any]) -> bool:
    """Tell whether the terminal reads slower than we write.

    Textual's writer blocks the event loop once 30 writes are queued, and there is no public way to
    ask: better to skip a frame. Where the driver has no such queue (Windows, tests), never.
    """
    thread = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(thread, "_queue", None)
    return queue is not None and bool(queue.qsize() > _WRITES_IN_FLIGHT)


class FrugalUpdate(CompositorUpdate):
    """A partial update of the screen that sends the changed parts of lines and nothing else.

    Textual's own sends each changed line of a widget from its start, once for each changed part
    of it, and every piece of text with its whole style.

    Args:
        update: Textual's own.
        sent: Told how many characters went to the terminal.
    """

    def __init__(self, update: CompositorUpdate, sent: Callable[[int], None]) -> None:
        self._update = update
        self._sent = sent

    def render_segments(self, console: Console) -> str:
        """Return the text for the terminal."""
        update = self._update
        if isinstance(update, ChopsUpdate):
            text = self._changed_parts(update, console)
        else:
            text = update.render_segments(console)
        self._sent(len(text))
        return text

    def _changed_parts(self, update: ChopsUpdate, console: Console) -> str:
        pen = Pen()
        out: list[str] = []
        for y, x1, x2 in update.spans:
            at = -1
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                left, right = max(x, x1), min(end, x2)
                if strip is None or left >= right:
                    continue
                if (left, right) != (x, end):
                    strip = strip.crop(left - x, right - x)
                if left != at:
                    out.append(f"\x1b[{y + 1};{left + 1}H")
                out.append(pen.write(strip.render(console)))
                at = right
        out.append(pen.lift())
        return "".join(out)


class FrugalApp(App[None], inherit_bindings=False):
    """An app whose updates of the screen are sent in few bytes."""

    def sent(self, characters: int) -> None:
        """Called with the number of characters that an update sent to the terminal."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable = FrugalUpdate(renderable, self.sent)
        super()._display(screen, renderable)


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
