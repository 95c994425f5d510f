"""A line of parts, of which the less important ones go where there is little room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from ...model.text.sanitize import visible

GAP: Final = 2
_LONGEST: Final = 400
_MORE: Final = "..."
_ROOM: Final = 10
"""Cells from which on it is told that something is cut."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text on a bar."""

    text: str
    style: str = ""
    """As Textual writes it: `bold $text-success`."""
    priority: int = 0
    """0 always stays; of the others the highest goes first."""
    click: str | None = None
    """The action that a mouse click starts."""
    gap: int = GAP
    """Blank cells before it."""

    def content(self) -> Content:
        """Return it as Textual draws it, with nothing in it taken for markup."""
        content = Content(visible(self.text, _LONGEST, "...")).stylize(self.style)
        if self.click is not None:
            content = content.stylize(Style.from_meta({"@click": self.click}))
        return content


class Bar(Widget):
    """One line: parts from the left, parts to the right."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        # Textual would underline what can be clicked, in a colour of its own.
        self.auto_links = False
        self._parts: tuple[tuple[Part, ...], tuple[Part, ...]] = ((), ())

    @property
    def text(self) -> str:
        """What it says, in full."""
        left, right = self._parts
        return "  ".join(part.text for part in (*left, *right))

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts; nothing is drawn again if they are the same as before."""
        parts = (tuple(left), tuple(right))
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def render(self) -> Content:
        """Draw what fits; of what always stays, the right one is drawn in full."""
        width = self.size.width
        left, right = self._fitting(width)
        end = _joined(right)
        start = _shortened(_joined(left), max(0, width - end.cell_length))
        space = max(0, width - start.cell_length - end.cell_length)
        return Content.assemble(start, " " * space, end).truncate(width)

    def _fitting(self, width: int) -> tuple[list[Part], list[Part]]:
        left, right = list(self._parts[0]), list(self._parts[1])
        while _joined(left).cell_length + _joined(right).cell_length > width:
            worst = max([*left, *right], key=lambda part: part.priority)
            if not worst.priority:
                break
            (left if worst in left else right).remove(worst)
        return left, right


def _shortened(content: Content, width: int) -> Content:
    if content.cell_length <= width or width < _ROOM:
        return content.truncate(width)
    return Content.assemble(content.truncate(width - len(_MORE)), _MORE)


def _joined(parts: Sequence[Part]) -> Content:
    pieces: list[Content | str] = []
    for part in parts:
        pieces += [" " * part.gap, part.content()]
    return Content.assemble(*pieces)
