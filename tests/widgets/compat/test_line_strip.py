"""A line's strip behaves as Textual's own."""

from __future__ import annotations

from celtop.widgets.compat.line_strip import LineStrip, cheap_strips
from celtop.widgets.compat.textual_internals import FrugalApp
from rich.segment import Segment
from rich.style import Style
from textual import screen as textual_screen
from textual.drivers import linux_driver
from textual.strip import Strip

SEGMENTS = [Segment("ab", Style(bold=True)), Segment("cdef", Style(color="red")), Segment("g")]


def test_what_a_strip_can_do_gives_the_same() -> None:
    line, strip = LineStrip(SEGMENTS, 7), Strip(SEGMENTS, 7)
    assert line == strip and line.text == "abcdefg"
    for _ in range(2):  # the second time from the caches
        assert line.crop(1, 5) == strip.crop(1, 5)
        assert line.divide([3, 7]) == strip.divide([3, 7])
        assert line.divide([7]) == [line]
        assert line.apply_style(Style(dim=True)) == strip.apply_style(Style(dim=True))
        assert line.adjust_cell_length(9) == strip.adjust_cell_length(9)
        assert line.crop_extend(0, 9, None) == strip.crop_extend(0, 9, None)
        assert line.apply_offsets(1, 2) == strip.apply_offsets(1, 2)
    assert line.simplify() == strip.simplify()
    assert line.link_ids == strip.link_ids


def test_a_line_that_is_shown_whole_makes_no_caches() -> None:
    line = LineStrip(SEGMENTS, 7)
    assert line.divide([7]) == [line] and line.crop(0, 7) is line
    made = [name for name in Strip.__slots__ if name in object.__dir__(line)]
    assert made and not any(_is_set(line, name) for name in made if name.endswith("_cache"))


def test_strips_of_textual_make_their_caches_when_they_are_used() -> None:
    with cheap_strips():
        strip = Strip(iter(SEGMENTS))
    assert strip.cell_length == 7 and strip.text == "abcdefg"
    assert not _is_set(strip, "_crop_cache")
    assert strip.crop(1, 5).text == "bcde"
    assert _is_set(strip, "_crop_cache")
    assert _is_set(Strip(SEGMENTS), "_crop_cache")


async def test_textual_is_changed_only_while_the_app_is_running() -> None:
    def changed() -> tuple[object, ...]:
        selectors = vars(linux_driver)["selectors"]
        return Strip.__init__, textual_screen.UPDATE_PERIOD, selectors

    before = changed()
    async with FrugalApp().run_test():
        during = changed()
    assert not any(a is b for a, b in zip(before, during, strict=True))
    assert changed() == before


def _is_set(line: Strip, name: str) -> bool:
    try:
        return object.__getattribute__(line, name) is not None
    except AttributeError:
        return False
