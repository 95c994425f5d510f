"""What lies over a screen: a framed box that escape closes."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from ...bindings.actions import Context
from ..keymap import bindings
from ..scene import Scene

T = TypeVar("T")


class Dialog(ModalScreen[T | None], inherit_bindings=False):
    """A box in the middle of the screen; closed without a choice, it returns None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("dialog")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("dialog",)
    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "Input, OptionList, VerticalScroll"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Draw the frame."""
        with Vertical(id="box") as box:
            box.border_title = self._title
            yield from self.compose_box()

    def compose_box(self) -> ComposeResult:
        """Put together what is in the frame."""
        yield from ()

    def on_mount(self) -> None:
        """Draw the frame with what the terminal can show."""
        scene: Scene | None = getattr(self.app, "scene", None)
        self.set_class(scene is not None and scene.ascii, "-ascii")

    def action_close(self) -> None:
        """Close without a choice."""
        self.dismiss(None)

    def action_accept(self) -> None:
        """Take what is chosen."""

    def action_choose(self, step: int) -> None:
        """Move to another choice."""
