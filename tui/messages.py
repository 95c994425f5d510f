"""Messages that widgets and screens send to the app."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from .navigation import DrillDown


@dataclass
class CopyRequested(Message):
    """A text is to be copied to the clipboard."""

    what: str
    text: str


@dataclass
class DrillRequested(Message):
    """A screen is to be opened one step deeper."""

    drill: DrillDown
