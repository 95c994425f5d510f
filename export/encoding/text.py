"""Documents as text: aligned tables, fitted into a width.

Text from the cluster keeps its characters, but for control characters, which are escaped.
"""

from __future__ import annotations

from collections.abc import Callable

from .document import Document, Table
from .tables import Line, fit, flow, plain, table, wrap


def render(document: Document, width: int, shown: Callable[[Line], str] = plain) -> str:
    """Return the document as text, at most `width` cells wide.

    Args:
        document: The document.
        width: In terminal cells.
        shown: Returns a line as text: plain, or coloured.
    """
    return "".join(shown(line) + "\n" for line in lines(document, width))


def lines(document: Document, width: int) -> list[Line]:
    """Return the document as styled lines, none wider than `width` cells."""
    several = len(document.tables) > 1
    out = [line for cells in document.lead for line in flow(cells, width)]
    for one in document.tables:
        if several:
            out += [[], [(fit(one.title, width).rstrip(), "title")]]
        out += _table(one, width)
    if document.notes:
        if several:
            out += [[], [(fit(f"Notes ({len(document.notes):,})", width).rstrip(), "title")]]
        style = "muted" if several else ""
        out += [[(part, style)] for note in document.notes for part in wrap(note, width)]
    return out


def _table(one: Table, width: int) -> list[Line]:
    out: list[Line] = []
    if one.rows:
        out += table(one.columns, one.rows, width)
    elif one.empty and not one.total:
        out.append([(fit(one.empty, width), "")])
    if one.footer:
        out += [[(part, "muted")] for part in wrap(one.footer, width)]
    return out
