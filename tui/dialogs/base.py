"""The base of all dialogs: a framed box that escape closes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ...bindings.contexts import Context
from ...model.text.sanitize import visible
from ...widgets.compat.settled_screen import SettledScreen
from ...widgets.compat.translucent_screen import TranslucentScreen
from ..context import AppContext
from ..keymap import bindings

T = TypeVar("T")

_MAX_TEXT: Final = 200
"""Characters of the title."""
_TITLE_FRAME: Final = 8
"""Cells of the frame beside the title."""
FRAME: Final = 4
"""Cells of the frame and the padding beside the content."""


class Dialog(
    ModalScreen[T | None],
    SettledScreen[T | None],
    TranslucentScreen[T | None],
    inherit_bindings=False,
):
    """A box in the middle of the screen; returns None if it is closed without a choice."""

    BINDINGS = bindings("dialog")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("dialog",)
    CSS_PATH = Path(__file__).with_name("base.tcss")  # a relative path is that of the subclass
    AUTO_FOCUS = "Input, OptionList, VerticalScroll"
    CLOSES_BY_CLICK_BESIDE: ClassVar[bool] = True
    MIN_WIDTH: ClassVar[int] = 30
    """Cells of the box, if the terminal has as many."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.mounted = asyncio.Event()
        """Set when all widgets are mounted: keys typed ahead wait for it."""

    def compose(self) -> ComposeResult:
        """Yield the box."""
        with Vertical(id="box") as box:
            box.border_title = self.frame_title
            if self._title_width > self.app.size.width and not self.names_title:
                yield Static(self.frame_title, id="title", markup=False)
            yield from self.compose_box()

    @property
    def frame_title(self) -> Content:
        """The title on the frame."""
        return Content(visible(self._title, _MAX_TEXT))

    @property
    def names_title(self) -> bool:
        """Whether the text names what the title may be too short for."""
        return False

    @property
    def _title_width(self) -> int:
        """The cells of a frame with the whole title."""
        return self.frame_title.cell_length + _TITLE_FRAME

    def fit_title(self) -> int:
        """Make the box as wide as the title, up to the terminal; return the cells inside of it.

        A longer title is repeated in the box, where it is wrapped.
        """
        box, wanted = self.query_one("#box"), self._title_width
        width = min(self.app.size.width, max(self.MIN_WIDTH, wanted))
        box.border_title = self.frame_title
        box.styles.min_width = width
        if wanted > self.app.size.width * 9 // 10:
            box.styles.max_width = "100%"
        for title in self.query("#title").results(Static):
            title.update(self.frame_title)
        return width - FRAME

    def compose_box(self) -> ComposeResult:
        """Yield the contents of the box."""
        yield from ()

    def on_mount(self) -> None:
        """Set the focus, and the frame that the terminal can show, as wide as its title."""
        self.fit_title()
        context: AppContext | None = getattr(self.app, "context", None)
        self.set_class(context is not None and context.ascii, "-ascii")
        if self.focused is None:
            # Textual would do this later, and keys typed ahead would be lost.
            found = self.query(self.AUTO_FOCUS)
            self.set_focus(next((widget for widget in found if widget.focusable), None))
        self.mounted.set()
        self.lay_out()

    def with_key(self, text: str, action: str) -> Content:
        """Return a text after the key of an action, if it has one."""
        context: AppContext | None = getattr(self.app, "context", None)
        key = "" if context is None else context.keymap.key(action, ascii_only=context.ascii)
        return Content.assemble(Content.styled(f"{key} " if key else "", "bold"), Content(text))

    def paint(self) -> None:
        """Bring the dialog up to date; called with each frame."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Return the result, unless the dialog is already closed.

        A second key pressed before the first is processed, or a lookup that ends meanwhile, would
        close the screen below.
        """
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def on_click(self, event: events.Click) -> None:
        """Close after a click beside the box, unless what was typed would be lost."""
        if event.widget is self and self.CLOSES_BY_CLICK_BESIDE:
            self.action_close()

    def action_close(self) -> None:
        """Close without a choice."""
        self.dismiss(None)

    def action_accept(self) -> None:
        """Accept the current choice."""

    def action_choose(self, step: int) -> None:
        """Scroll the text; in a menu, move to another choice."""
        for text in self.query(VerticalScroll):
            text.scroll_relative(y=step, animate=False)
