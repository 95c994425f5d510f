"""A Python traceback with the application's own lines highlighted; its text is not trusted."""

from __future__ import annotations

import re
from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ..model.text.sanitize import visible_lines
from ..model.text.traceback import is_library
from .table.scrolling import scroll
from .table.viewport import Motion

MAX_TEXT: Final = 200_000
"""Characters that are shown; a last line counts the rest."""

_FILE: Final = re.compile(r'^(\s*File )"(.*)", line (\d+)(?:, in (.*))?$')
_RAISED: Final = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?::|$)")
_POINTER: Final = re.compile(r"^\s+[~^]+\s*$")


class TracebackView(VerticalScroll, inherit_bindings=False):
    """A traceback that can be scrolled and selected."""

    DEFAULT_CSS = """
    TracebackView {
        height: 1fr;
        & Static { width: 1fr; height: auto; }
    }
    """

    def __init__(self, text: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._text = text

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield Static(highlighted(self._text), markup=False)

    def show(self, text: str) -> None:
        """Show another traceback, from its end, where the exception is."""
        if text == self._text:
            return
        self._text = text
        if self.is_mounted:
            self.query_one(Static).update(highlighted(text))
            self.scroll_end(animate=False)

    def action_move(self, motion: Motion) -> None:
        """Scroll: `down`, `page_up`, `bottom`, ..."""
        scroll(self, motion)


def highlighted(text: str) -> Content:
    """Return a styled traceback; control characters are made visible."""
    lines = visible_lines(text.rstrip(), MAX_TEXT)
    styled: list[Content] = []
    ours = True
    for line in lines:
        match = _FILE.match(line)
        if match is not None:
            ours = not is_library(match[2])
            styled.append(_file_line(match, ours))
        else:
            styled.append(Content.styled(line, _style(line, ours)))
    return Content("\n").join(styled)


def _file_line(match: re.Match[str], ours: bool) -> Content:
    start, path, number, function = match.groups()
    path_style = "$text-accent" if ours else "$text-muted"
    parts: list[str | tuple[str, str]] = [
        (start, "$text-muted"),
        (f'"{path}"', path_style),
        (", line ", "$text-muted"),
        (number, "$text-primary"),
    ]
    if function is not None:
        parts += [(", in ", "$text-muted"), (function, "bold" if ours else "")]
    return Content.assemble(*parts)


def _style(line: str, ours: bool) -> str:
    if _POINTER.match(line):
        return "$text-error"
    if not line[:1].isspace() and _RAISED.match(line):
        return "bold $text-error"
    if not line[:1].isspace():
        return "$text-muted"
    return "" if ours else "$text-muted"
