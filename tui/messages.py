"""Messages that widgets and screens send to the app."""

from __future__ import annotations

from textual.message import Message

from .navigation import DrillDown


class CopyRequested(Message):
    """A text is to be copied to the clipboard."""

    def __init__(self, what: str, text: str) -> None:
        self.what = what
        self.text = text
        super().__init__()


class DrillRequested(Message):
    """A screen is to be opened one step deeper."""

    def __init__(self, drill: DrillDown) -> None:
        self.drill = drill
        super().__init__()
