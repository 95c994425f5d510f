"""Messages that widgets and screens send to the app."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from .navigation import DrillDown, FilteredView


@dataclass
class CopyRequested(Message):
    """A text is to be copied to the clipboard."""

    what: str
    text: str


@dataclass
class ViewRequested(Message):
    """A numbered view is to be shown, with a filter."""

    target: FilteredView


@dataclass
class ClusterRequested(Message):
    """Another cluster is to be monitored, by its name in the config file."""

    name: str


@dataclass
class DrillRequested(Message):
    """A screen is to be opened one step deeper."""

    drill: DrillDown
