from __future__ import annotations

import math

import pytest
from celtop.tests.widgets.screen_text import shown
from celtop.widgets.charts.graph import Graph, Series, resampled
from celtop.widgets.glyphs import ASCII
from textual.strip import Strip

WAVE = [1000 * abs(math.sin(number / 40)) for number in range(600)]
BRAILLE = {chr(code) for code in range(0x2801, 0x2900)}
SERIES = [Series("ok", WAVE, "ok"), Series("failed", [5.0] * 600, "failed")]


async def test_a_graph_is_drawn_by_plotext_once_that_is_there() -> None:
    graph = Graph()
    async with shown(graph, 60, 12) as screen:
        graph.show(SERIES, 1, begin="-10 min")
        await screen.until(lambda: "┤" in "".join(screen.lines))
        assert screen.lines[0] == f"━ ok {WAVE[-1]:,.0f}/s  ━ failed 5/s"
        assert screen.lines[1].startswith("1,000┤")
        assert "-10 min" in screen.lines[-1]
        assert screen.lines[-1].endswith("now")
        assert [strip.cell_length for strip in screen.strips] == [60] * 12
        assert any("⠤" in line or "⠒" in line for line in screen.lines)


async def test_a_graph_is_drawn_once_for_a_version_and_a_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = Graph()
    async with shown(graph, 60, 12) as screen:
        graph.show(SERIES, 1)
        await screen.until(lambda: "┤" in "".join(screen.lines))
        drawn: list[object] = []
        draw = graph._draw

        def draw_and_count() -> list[Strip]:
            drawn.append(None)
            return draw()

        monkeypatch.setattr(graph, "_draw", draw_and_count)
        graph.refresh()
        graph.show(SERIES, 1)
        await screen.settle()
        assert not drawn
        graph.show(SERIES, 2)
        await screen.settle()
        assert len(drawn) == 1
        await screen.pilot.resize_terminal(80, 12)
        await screen.until(lambda: len(drawn) >= 2)


async def test_series_keep_their_colours() -> None:
    graph = Graph()
    async with shown(graph, 60, 12) as screen:
        graph.show([Series("ok", [9.0] * 60, "ok"), Series("failed", [1.0] * 60, "failed")], 1)
        await screen.until(lambda: "┤" in "".join(screen.lines))
        names = (screen.style_at(0, 0).color, screen.style_at(10, 0).color)
        assert screen.lines[0][10] == "━"
        colours = [
            segment.style.color
            for strip in screen.strips[1:]
            for segment in strip
            if segment.style is not None
            and any("\u2801" <= char <= "\u28ff" for char in segment.text)
        ]
        assert set(colours) == set(names)


@pytest.mark.parametrize("size", [(10, 3), (23, 12), (60, 5), (60, 1)])
async def test_a_small_graph_is_drawn_in_blocks(size: tuple[int, int]) -> None:
    graph = Graph()
    async with shown(graph, *size) as screen:
        graph.show(SERIES, 1)
        await screen.settle()
        assert "┤" not in "".join(screen.lines)
        assert set("▁▂▃▄▅▆▇█") & set("".join(screen.lines))


async def test_an_ascii_graph() -> None:
    graph = Graph(glyphs=ASCII)
    async with shown(graph, 60, 8) as screen:
        graph.show(SERIES, 1)
        await screen.settle()
        assert all(line.isascii() for line in screen.lines)
        assert "@" in "".join(screen.lines)


async def test_a_graph_of_nothing() -> None:
    graph = Graph(glyphs=ASCII)
    async with shown(graph, 60, 8) as screen:
        assert screen.lines == [""] * 8
        graph.show([Series("ok", [])], 1)
        await screen.settle()
        assert screen.lines[0] == "# ok"


async def test_the_latest_value_of_an_incomplete_series_is_unknown() -> None:
    graph = Graph(glyphs=ASCII)
    async with shown(graph, 60, 8) as screen:
        graph.show([Series("ok", [3.0], complete=False), Series("failed", [])], 1)
        await screen.settle()
        assert screen.lines[0] == "# ok ?  # failed"


def test_no_peak_is_lost_when_there_are_too_many_numbers() -> None:
    values = [0.0] * 1000
    values[537] = 9.0
    assert len(resampled(values, 60)) == 60
    assert max(resampled(values, 60)) == 9.0
    assert resampled([1, 2], 60) == [1, 2]
