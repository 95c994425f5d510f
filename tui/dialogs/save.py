"""The dialog for the path to save a view to."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from ...export.formats import SUFFIXES
from ...widgets.compat.visible_input import VisibleInput
from .base import Dialog


class SaveDialog(Dialog[Path]):
    """Returns the path of the file to write; overwriting must be confirmed.

    Args:
        path: The default.
    """

    def __init__(self, path: Path) -> None:
        super().__init__("Save view")
        self._path = path
        self._confirmed: str | None = None

    def compose_box(self) -> ComposeResult:
        """Yield the line and the hint."""
        yield VisibleInput(str(self._path), id="path", select_on_focus=False, compact=True)
        yield Static("", id="advice", markup=False)

    def on_mount(self) -> None:
        """Explain how the format is chosen."""
        self._advise(
            f"The extension sets the format: {' '.join(SUFFIXES)}. Only marked rows, if any."
        )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the path, or ask whether to overwrite."""
        self.action_accept()

    def action_accept(self) -> None:
        """Return the path, or ask whether to overwrite."""
        typed = self.query_one(Input).value.strip()
        if not typed:
            return
        path = Path(typed).expanduser()
        if path.suffix not in SUFFIXES:
            self._advise(
                f"Unknown format: end the name in one of {' '.join(SUFFIXES)}", "$text-error"
            )
        elif path.exists() and self._confirmed != typed:
            self._confirmed = typed
            self._advise(f"{path.name} exists; press enter again to overwrite it", "$text-warning")
        else:
            self.dismiss(path)

    def _advise(self, text: str, style: str = "$text-muted") -> None:
        self.query_one("#advice", Static).update(Content.styled(text, style))
