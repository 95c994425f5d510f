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


def test_a_text_that_is_too_wide_is_shortened_by_its_column_before_it_is_cut() -> None:
    def drawn(text: str) -> str:
        column = Column[str]("worker", "Worker", 8, lambda row, _: (row, "text"), shorten=short)
        styles = LookStyles(lambda name: Style())
        placed = [Placed(column, 0, 8)]
        artist = LineArtist(placed, gutter=0, width=8, styles=lambda look: styles)
        return artist.row(text, text, None, "", "", Frame(0.0)).strip.text

    def short(text: str, width: int, ellipsis: str) -> str:
        return ellipsis + text.partition("@")[2]

    assert drawn("w@web-1") == "w@web-1 "
    assert drawn("celery@web-1") == "…web-1  "
    assert drawn("celery@storage-1") == "…storag…"
