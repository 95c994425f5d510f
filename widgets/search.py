"""Searching the text of widgets: what they contain, and how a match is brought into view.

A widget takes part by having the two methods of `Searchable`. Those that draw plain `Content`, such
as Textual's `Static`, take part without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from textual.content import Content
from textual.geometry import Offset, Region
from textual.selection import Selection
from textual.widget import Widget
from textual.widgets import OptionList, Static

MAX_MATCHES: Final = 10_000
"""Further matches are not looked for."""


@runtime_checkable
class Searchable(Protocol):
    """A widget with text that can be searched."""

    def search_lines(self) -> Sequence[str]:
        """Return the whole text, also what is out of view or folded."""

    def show_match(self, line: int, start: int, end: int) -> int:
        """Scroll to a part of a line and highlight it; return its y in the widget."""

    def hide_match(self) -> None:
        """Remove the highlight."""


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """A place of the text that is searched for; places are ordered as they are on the screen."""

    widget: int
    """The position of the widget among those that are searched."""
    line: int
    start: int
    end: int


START: Final = Match(-1, -1, -1, -1)
"""Before every match."""


def find(texts: Iterable[Sequence[str]], wanted: str) -> list[Match]:
    """Return the matches in the lines of some widgets, at most `MAX_MATCHES`.

    An uppercase letter in `wanted` makes the search case-sensitive.
    """
    if not wanted:
        return []
    flags = re.IGNORECASE if wanted == wanted.lower() else 0
    pattern = re.compile(re.escape(wanted), flags)
    found: list[Match] = []
    for widget, lines in enumerate(texts):
        for number, line in enumerate(lines):
            for match in pattern.finditer(line):
                found.append(Match(widget, number, match.start(), match.end()))
                if len(found) == MAX_MATCHES:
                    return found
    return found


def beside(matches: Sequence[Match], place: Match, step: int) -> Match | None:
    """Return the next (1) or previous (-1) match of a place; beyond the last comes the first."""
    if not matches:
        return None
    if step > 0:
        return next((match for match in matches if match > place), matches[0])
    return next((match for match in reversed(matches) if match < place), matches[-1])


def searched_widgets(root: Widget) -> list[Widget]:
    """Return the visible widgets with text that can be searched, in their order."""
    return [
        widget
        for widget in (root, *root.query("*").results(Widget))
        if widget.display
        and all(node.display for node in widget.ancestors if isinstance(node, Widget))
        and isinstance(widget, Searchable | Static | OptionList)
    ]


def search_lines(widget: Widget) -> Sequence[str]:
    """Return the text of a widget."""
    if isinstance(widget, Searchable):
        return widget.search_lines()
    if isinstance(widget, OptionList):
        return [" ".join(str(option.prompt).split()) for option in widget.options]
    content = widget.render()
    return content.plain.split("\n") if isinstance(content, Content) else ()


def show_match(widget: Widget, match: Match) -> None:
    """Bring a match into view and highlight it."""
    if isinstance(widget, Searchable):
        reveal(widget, widget.show_match(match.line, match.start, match.end))
        return
    if isinstance(widget, OptionList):
        widget.highlighted = match.line
        return
    content = widget.render()
    if isinstance(content, Content):
        select(widget, match)
        width = max(1, widget.content_size.width)
        before = content.split("\n")[: match.line]
        reveal(widget, sum(len(line.wrap(width)) or 1 for line in before))


def hide_matches(root: Widget) -> None:
    """Remove the highlights of a search."""
    root.screen.clear_selection()
    for widget in (root, *root.query("*").results(Widget)):
        if isinstance(widget, Searchable):
            widget.hide_match()


def select(widget: Widget, match: Match) -> None:
    """Select a match as the mouse does, so that it is highlighted and can be copied."""
    place = Selection(Offset(match.start, match.line), Offset(match.end, match.line))
    widget.screen.selections = {widget: place}


def reveal(widget: Widget, y: int) -> None:
    """Scroll what contains a widget so that one of its lines is visible."""
    region = Region(0, y, max(1, widget.size.width), 1).translate(widget.virtual_region.offset)
    inner: Widget = widget
    while isinstance(container := inner.parent, Widget):
        container.scroll_to_region(region, animate=False, immediate=True)
        frame = container.styles.gutter.top_left
        region = region.translate(-container.scroll_offset).translate(frame)
        region = region.translate(container.virtual_region.offset)
        inner = container
