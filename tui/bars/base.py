"""A line of parts; the least important ones are left out if there is not enough room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from ...model.text.sanitize import visible

GAP: Final = 2
_MAX_TEXT: Final = 400
_ELLIPSIS: Final = "..."
_MIN_ELLIPSIS_WIDTH: Final = 10
"""Narrower text is cut without an ellipsis."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text on a bar."""

    text: str
    style: str = ""
    """In Textual's notation: `bold $text-success`."""
    priority: int = 0
    """0 always stays; of the others the highest is left out first."""
    click: str | None = None
    """The action that a mouse click runs."""
    gap: int = GAP
    """Blank cells before the text."""

    @property
    def shown(self) -> str:
        """The text that is safe to show."""
        return visible(self.text, _MAX_TEXT, _ELLIPSIS)

    @property
    def width(self) -> int:
        """The cells that it takes, with the gap."""
        return self.gap + cell_len(self.shown)

    def content(self) -> Content:
        """Return the styled text; markup in it is not interpreted."""
        content = Content(self.shown).stylize(self.style)
        if self.click is not None:
            content = content.stylize(Style.from_meta({"@click": self.click}))
        return content


class Bar(Widget):
    """One line with parts aligned left and parts aligned right."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        # Textual would underline clickable text, in its own colour.
        self.auto_links = False
        self._parts: tuple[tuple[Part, ...], tuple[Part, ...]] = ((), ())

    @property
    def text(self) -> str:
        """The full text of the bar."""
        left, right = self._parts
        return "  ".join(part.text for part in (*left, *right))

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts; the bar is only redrawn if they changed."""
        parts = (tuple(left), tuple(right))
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def render(self) -> Content:
        """Draw the parts that fit; if even the ones that stay do not, the left side is cut."""
        width = self.size.width
        left, right = self._fitting(width)
        end = _joined(right)
        start = _shortened(_joined(left), max(0, width - end.cell_length))
        space = max(0, width - start.cell_length - end.cell_length)
        return Content.assemble(start, " " * space, end).truncate(width)

    def _fitting(self, width: int) -> tuple[list[Part], list[Part]]:
        left, right = list(self._parts[0]), list(self._parts[1])
        while sum(part.width for part in (*left, *right)) > width:
            least = max([*left, *right], key=lambda part: part.priority)
            if not least.priority:
                break
            (left if least in left else right).remove(least)
        if left:  # the bar begins at the same place, whatever is left out
            left[0] = replace(left[0], gap=self._parts[0][0].gap)
        return left, right


def _shortened(content: Content, width: int) -> Content:
    if content.cell_length <= width or width < _MIN_ELLIPSIS_WIDTH:
        return content.truncate(width)
    return Content.assemble(content.truncate(width - len(_ELLIPSIS)), _ELLIPSIS)


def _joined(parts: Sequence[Part]) -> Content:
    pieces: list[Content | str] = []
    for part in parts:
        pieces += [" " * part.gap, part.content()]
    return Content.assemble(*pieces)
