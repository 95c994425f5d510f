"""Documents as one HTML page without scripts, links or external resources.

Texts are escaped, and a Content Security Policy forbids everything but the page's own style. What
looks like an address stays text: browsers make no links of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape as escape_html
from typing import Final

from .colours import STYLES
from .document import Document, Table
from .json import utf8
from .tables import Cell

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
_LAYOUT: Final = """\
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 2rem; }
table { border-collapse: collapse; }
th, td { padding: 0.15rem 0.75rem 0.15rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid; }
td { overflow-wrap: anywhere; unicode-bidi: isolate; }
.right { text-align: right; font-variant-numeric: tabular-nums; }
"""


def encode(document: Document) -> bytes:
    """Return the page."""
    return ("\n".join(_page(document)) + "\n").encode()


def _page(document: Document) -> Iterator[str]:
    title = escape(f"celtop {document.name}")
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{title}</title>"
    yield f"<style>\n{_LAYOUT}{_colours()}</style>"
    yield "</head>"
    yield "<body>"
    yield f"<h1>{title}</h1>"
    if document.lead:
        yield f"<p>{'<br>'.join(''.join(map(_span, line)) for line in document.lead)}</p>"
    for table in document.tables:
        yield from _table(table, headed=len(document.tables) > 1)
    if document.notes:
        yield "<ul>"
        yield from (f"<li>{escape(note)}</li>" for note in document.notes)
        yield "</ul>"
    yield "</body>"
    yield "</html>"


def _table(table: Table, *, headed: bool) -> Iterator[str]:
    if headed:
        yield f"<h2>{escape(table.title)}</h2>"
    if table.rows:
        sides = ["right" if column.right else "" for column in table.columns]
        yield f'<table id="{escape(table.name)}">'
        heads = zip(table.columns, sides, strict=True)
        yield f"<thead><tr>{''.join(_head(one.title, side) for one, side in heads)}</tr></thead>"
        yield "<tbody>"
        for row in table.rows:
            yield f"<tr>{''.join(map(_data, row, sides))}</tr>"
        yield "</tbody>"
        yield "</table>"
    elif table.empty:
        yield f"<p>{escape(table.empty)}</p>"
    if table.footer:
        yield f"<p>{escape(table.footer)}</p>"


def _head(title: str, side: str) -> str:
    return f"<th{_class(side)}>{escape(title)}</th>"


def _data(cell: Cell, side: str) -> str:
    text, style = cell
    return f"<td{_class(side, _known(style))}>{escape(text)}</td>"


def _span(cell: Cell) -> str:
    text, style = cell
    return f"<span{_class(_known(style))}>{escape(text)}</span>" if style else escape(text)


def _known(style: str) -> str:
    return style if style in STYLES else ""


def _class(*names: str) -> str:
    joined = " ".join(name for name in names if name)
    return f' class="{joined}"' if joined else ""


def _colours() -> str:
    return "".join(
        f".{name} {{ color: {colour}; }}\n"
        for name, colour in STYLES.items()
        if colour.startswith("#")
    )


def escape(text: str) -> str:
    """Return a text as HTML shows it, also in an attribute."""
    return escape_html(utf8(text))
