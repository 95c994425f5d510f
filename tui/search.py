"""Searching a page or a dialog: `/`, and from match to match."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widget import AwaitMount, Widget

from ..widgets import search
from ..widgets.search import START, Match
from .bars.mount_line import mount_line
from .bars.search import SearchLine


class SearchedScreen(Screen[Any], inherit_bindings=False):
    """A screen that has a `SearchLine`; its text is that of the widgets it shows.

    It is the second base of a screen: Textual takes the styles of the first.

    The text may change at any time, so matches are looked for again at each step.
    """

    _place: Match = START
    """The match that was reached."""
    _origin: Match = START
    """Where the search began: each typed letter searches from there."""
    _found: Widget | None = None
    """The widget that contains it."""
    _focused_before: Widget | None = None
    _search_line: SearchLine | None = None

    @property
    def searched(self) -> Widget:
        """The part of the screen whose text is searched."""
        return self.query_one("#body")

    @property
    def search_line(self) -> SearchLine:
        """The line."""
        if self._search_line is None:
            self._search_line = SearchLine()
        return self._search_line

    def mount_search(self, line: SearchLine) -> AwaitMount:
        """Mount the line where it belongs."""
        return mount_line(line, self, after="#body")

    @property
    def searching(self) -> bool:
        """Whether there is a search that can be gone on with or cleared."""
        line = self._search_line
        return line is not None and line.is_attached and bool(line.display)

    async def action_search(self) -> None:
        """Open the search line."""
        if not self.searching:
            self._place = START
        self._origin = self._place
        if not isinstance(self.focused and self.focused.parent, SearchLine):
            self._focused_before = self.focused
        await self.mount_search(self.search_line)
        self.search_line.open()

    def action_search_step(self, step: int) -> None:
        """Go to the next or previous match."""
        if self.searching:
            self._go(self._place, step)

    def action_keep_search(self) -> None:
        """Return the focus to the page, at the match."""
        if not self.search_line.text:
            self.clear_search()
            return
        self._focus_match()

    def action_clear_search(self) -> None:
        """Remove the search line and the highlight."""
        self.clear_search()

    def clear_search(self) -> bool:
        """End the search; return whether there was one."""
        if not self.searching:
            return False
        self.search_line.close()
        search.hide_matches(self.searched)
        if self.focused is None or isinstance(self.focused.parent, SearchLine):
            self.set_focus(self._focused_before)
        return True

    def on_search_line_changed(self, message: SearchLine.Changed) -> None:
        """Go to the first match of what is being typed."""
        message.stop()
        if self.searching:
            self._go(self._origin, 1)

    def on_search_line_submitted(self, message: SearchLine.Submitted) -> None:
        """Return the focus to the page, at the match."""
        message.stop()
        self.action_keep_search()

    def _go(self, place: Match, step: int) -> None:
        widgets = search.searched_widgets(self.searched)
        texts = [search.search_lines(widget) for widget in widgets]
        matches = search.find(texts, self.search_line.text)
        search.hide_matches(self.searched)
        match = search.beside(matches, place, step)
        if match is None:
            self._place = self._origin
            self.search_line.show_matches("no match" if self.search_line.text else "", False)
            return
        self._place = match
        number = f"{matches.index(match) + 1:,} of {len(matches):,}"
        self.search_line.show_matches(number, True)
        self._found = widgets[match.widget]
        search.show_match(self._found, match)
        if not isinstance(self.focused and self.focused.parent, SearchLine):
            self._focus_match()

    def _focus_match(self) -> None:
        """Focus the pane that contains the match, so that keys go on there."""
        found = self._found
        if found is not None and found.is_attached:
            panes = (node for node in found.ancestors_with_self if isinstance(node, Widget))
            pane = next((node for node in panes if node.focusable), self._focused_before)
        else:
            pane = self._focused_before
        self.set_focus(pane, scroll_visible=False)
