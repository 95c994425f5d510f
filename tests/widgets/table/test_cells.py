"""Texts cut and padded to a width in cells."""

from __future__ import annotations

import pytest
from celtop.model.entities.styles import state_style
from celtop.widgets.colours import COLOURS
from celtop.widgets.glyphs import ASCII, UNICODE, Glyphs
from celtop.widgets.table.cells import fit, fit_cells
from rich.cells import cell_len

TEXTS = (
    "",
    "plain",
    "日本語のテキスト",
    "e\u0301e\u0301e\u0301e\u0301e\u0301",
    "👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
    "mixed 日本 text",
    "\x1b[31mred",
    "ﷺ" * 20,
    "z" + "\u0301" * 5_000,
)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("width", range(13))
def test_a_fitted_text_takes_exactly_its_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width, "…")) == width
    assert cell_len(fit(text, width, "…", "right")) == width
    assert cell_len(fit(text, width, "…", keeps_end=True)) == width
    cells = fit_cells([(text, "text"), (text, "muted")], width, "…")
    assert sum(cell_len(part) for part, _ in cells) == width


def test_padding_goes_to_the_other_side() -> None:
    assert fit("ab", 4, "…") == "ab  "
    assert fit("ab", 4, "…", "right") == "  ab"
    assert fit_cells([("ab", "good")], 4, "…", "right") == [("  ", "text"), ("ab", "good")]


def test_what_is_cut_ends_with_an_ellipsis() -> None:
    assert fit("abcdef", 4, "…") == "abc…"
    assert fit("日本語", 4, "…") == "日 …"
    assert fit_cells([("abc", "good"), ("def", "bad")], 4, "~") == [("abc", "good"), ("~", "bad")]


def test_a_dotted_name_keeps_its_end() -> None:
    assert fit("shop.tasks.send", 8, "…", keeps_end=True) == "…ks.send"
    assert fit("タスク.日本語", 6, "…", keeps_end=True) == "…本語 "
    assert fit("short", 8, "…", keeps_end=True) == "short   "


def test_no_part_is_cut_to_a_few_letters() -> None:
    cells = [("54 %", "text"), ("  longer than usual", "warn")]
    assert fit_cells(cells, 13, "…") == [("54 %", "text"), (" " * 9, "warn")]
    assert fit_cells(cells, 14, "…") == [("54 %", "text"), ("  longer …", "warn")]


def test_the_rest_of_a_text_is_not_cut_to_a_few_letters() -> None:
    cells = [("raise", "text"), (" ValueError()", "warn")]
    assert fit_cells(cells, 9, "…") == [("raise", "text"), ("   …", "warn")]
    assert fit_cells(cells, 11, "…") == [("raise", "text"), (" Valu…", "warn")]


def test_each_state_has_a_style_and_a_glyph_of_its_own() -> None:
    states = ("PENDING", "RECEIVED", "STARTED", "SUCCESS", "FAILURE", "RETRY", "REVOKED", "MINE")
    for glyphs in (UNICODE, ASCII):
        assert len({glyphs.state(state) for state in states}) == len(states)
    assert {state_style(state) for state in states} <= set(COLOURS)
    assert state_style("MINE") == "state-custom"
    assert UNICODE.state("SUCCESS") == "✔"
    assert ASCII.level("bad") == "x"


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=lambda glyphs: glyphs.name)
def test_each_glyph_is_one_cell(glyphs: Glyphs) -> None:
    singles = [
        *glyphs.states.values(), *glyphs.bar, *glyphs.sparks, *glyphs.phases,
        glyphs.custom_state, glyphs.mark, glyphs.ellipsis, glyphs.ascending, glyphs.descending,
        glyphs.more_left, glyphs.more_right, glyphs.bar_rest, glyphs.bar_estimated,
        glyphs.tree_open, glyphs.tree_closed, glyphs.good, glyphs.warn, glyphs.bad, glyphs.idle,
    ]  # fmt: skip
    assert {cell_len(glyph) for glyph in singles} == {1}
    if glyphs is ASCII:
        assert all(glyph.isascii() for glyph in singles)
