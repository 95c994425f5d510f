from __future__ import annotations

import pyte
import pytest
from celtop.widgets.compat.sgr import Pen, change
from celtop.widgets.compat.textual_internals import FrugalUpdate
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

WIDTH, HEIGHT = 40, 6

colours = st.sampled_from(["", "red", "bright_blue", "color(120)", "#1b2029", "#d7dae0", "default"])
styles = st.builds(
    lambda fg, bg, bold, dim, reverse, underline: Style(
        color=fg or None,
        bgcolor=bg or None,
        bold=bold,
        dim=dim,
        reverse=reverse,
        underline=underline,
    ),
    colours,
    colours,
    *[st.sampled_from([None, True])] * 4,
)


def screen_of(text: str, width: int = WIDTH) -> list[list[pyte.screens.Char]]:
    screen = pyte.Screen(width, HEIGHT)
    pyte.Stream(screen).feed(text)
    return [[screen.buffer[y][x] for x in range(width)] for y in range(HEIGHT)]


@given(st.lists(st.tuples(styles, st.text("ab ", min_size=1, max_size=4)), max_size=9))
def test_text_looks_the_same_as_with_whole_styles(pieces: list[tuple[Style, str]]) -> None:
    whole = "".join(style.render(text) for style, text in pieces)
    pen = Pen()
    frugal = pen.write(Segment(text, style) for style, text in pieces) + pen.lift()
    assert screen_of(frugal + "end") == screen_of(whole + "end")


def test_only_the_difference_is_sent() -> None:
    grey, blue = "38;2;9;9;9;48;2;1;2;3", "38;2;9;9;255;48;2;1;2;3"
    assert change(grey, blue) == "\x1b[38;2;9;9;255m"
    assert change(blue, blue) == ""
    assert change("1;31", "31") == "\x1b[0;31m"
    assert change("31;44", "") == "\x1b[0m"
    assert change("31", "1;31;44") == "\x1b[1;44m"


def test_a_style_goes_on_over_pieces_and_writes() -> None:
    pen = Pen()
    red = Style(color="red")
    assert pen.write([Segment("red", red), Segment(" red", red)]) == "\x1b[31mred red"
    assert pen.write([Segment(" red", red)]) == " red"
    assert pen.lift() == "\x1b[0m"
    assert pen.lift() == ""


def strip(letter: str, width: int) -> Strip:
    """A piece in which every cell is told apart from its neighbours by text or style."""
    half = width // 2
    return Strip(
        [
            Segment(letter * half, Style(color="red")),
            Segment(letter.upper() * (width - half), Style(color="green", bold=True)),
        ],
        width,
    )


spans = st.lists(
    st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH)),
    min_size=1,
    max_size=8,
).map(lambda found: sorted((y, x, min(WIDTH, x + width)) for y, x, width in found))


@given(spans)
def test_an_update_shows_what_textuals_own_shows(spans: list[tuple[int, int, int]]) -> None:
    """On a screen that already holds what is outside the spans."""
    cuts = [0, 13, 27, WIDTH]
    chops = [
        {x: strip("abc"[number], end - x) for number, (x, end) in enumerate(zip(cuts, cuts[1:]))}  # noqa: B905, RUF007
        for _ in range(HEIGHT)
    ]
    console = Console(color_system="truecolor", force_terminal=True)
    before = ChopsUpdate(chops, [(y, 0, WIDTH) for y in range(HEIGHT)], [cuts[1:]] * HEIGHT)
    there = before.render_segments(console)
    update = ChopsUpdate(chops, spans, [cuts[1:]] * HEIGHT)
    lengths: list[int] = []
    frugal = FrugalUpdate(update, lengths.append).render_segments(console)
    assert screen_of(there + frugal) == screen_of(there + update.render_segments(console))
    assert lengths == [len(frugal)]


@pytest.mark.parametrize(("x1", "x2"), [(20, 24), (0, 4), (30, 40)])
def test_nothing_outside_a_span_is_sent(x1: int, x2: int) -> None:
    chops = [{0: strip("a", WIDTH)}]
    console = Console(color_system="truecolor", force_terminal=True)
    update = FrugalUpdate(ChopsUpdate(chops, [(0, x1, x2)], [[WIDTH]]), lambda _: None)
    line = screen_of(update.render_segments(console))[0]
    assert [x for x, cell in enumerate(line) if cell.data != " "] == list(range(x1, x2))
