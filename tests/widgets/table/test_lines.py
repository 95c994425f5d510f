"""The lines of a live table."""

from __future__ import annotations

from celtop.widgets.table.column import Column, Frame, Placed
from celtop.widgets.table.lines import LineArtist
from celtop.widgets.table.look_styles import LookStyles
from rich.style import Style


def test_titles_that_are_too_long_stay_apart() -> None:
    titles = ("celery@web-1", "celery@web-2")
    columns = [Column[str](title, title, 8, lambda row, _: (row, "text")) for title in titles]
    placed = [Placed(column, 9 * number, 8) for number, column in enumerate(columns)]
    styles = LookStyles(lambda name: Style())
    artist = LineArtist(placed, gutter=0, width=17, styles=lambda look: styles)
    assert artist.header(None, None, Frame(0.0), False, False).strip.text == "celery@… celery@…"
    sort = (titles[0], True)
    assert artist.header(None, sort, Frame(0.0), False, False).strip.text == "celery@…▼celery@…"
