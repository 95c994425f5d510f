"""Documents as Markdown: tables of GitHub's kind, in which texts are only text.

Everything that Markdown, HTML or GitHub would interpret is written as a numeric entity, since these
are never structural: links, images, emphasis, tags, pipes, formulas, mentions and references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from .document import Document
from .json import utf8
from .tables import Cell, Column

_SIGNS: Final = re.compile(
    r"[\\`*\[\]|~<>&@$#]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # elsewhere it is part of a name
    r"|:(?=[A-Za-z/+-])"  # `http://`, `:smile:`
    r"|(?<=www)\."
    r"|^[-+=]|(?<=^\d)[.)](?!\S)|(?<=^\d\d)[.)](?!\S)",  # lists and headings
    re.IGNORECASE,
)


def encode(document: Document) -> bytes:
    """Return the document: its lines, a table with a heading for each list, and its notes."""
    several = len(document.tables) > 1
    lead = ["".join(text for text, _ in line) for line in document.lead]
    parts = ["  \n".join(map(escape, lead))] if lead else []
    for table in document.tables:
        if several:
            parts.append(f"## {escape(table.title)}")
        if table.rows:
            parts.append("\n".join(_table(table.columns, table.rows)))
        elif table.empty:
            parts.append(escape(table.empty))
        if table.footer:
            parts.append(escape(table.footer))
    if document.notes:
        parts.append("\n".join(f"- {escape(note)}" for note in document.notes))
    return ("\n\n".join(parts) + "\n").encode()


def escape(text: str) -> str:
    """Return a text without line breaks that is shown as it is."""
    return _SIGNS.sub(lambda sign: f"&#{ord(sign[0])};", utf8(text))


def _table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    yield _row(escape(column.title) for column in columns)
    yield _row("---:" if column.right else "---" for column in columns)
    for row in rows:
        yield _row(escape(text) for text, _ in row)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
