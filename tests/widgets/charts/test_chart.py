from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC
from math import nan
from types import ModuleType

import plotext
import pytest
from celtop.model.entities.series.time_series import Mark
from celtop.tests.widgets.screen_text import shown
from celtop.widgets.charts.axis import COUNT
from celtop.widgets.charts.chart import Chart
from celtop.widgets.charts.chart_data import ChartData
from celtop.widgets.charts.plot import Layer
from celtop.widgets.glyphs import ASCII
from textual.strip import Strip

END = 1_699_963_200.0
WAVE = [nan] * 30 + [float(number % 20) for number in range(90)]
LAYERS = (
    Layer("ok", WAVE, "ok"),
    Layer("retry", [0.0] * 120, "retry"),
    Layer("failed", [nan] * 30 + [1.0] * 90, "failed"),
)
DATA = ChartData(LAYERS, END, 600.0, COUNT, (Mark(END - 300, "lost", "celery@one"),), UTC)


async def test_a_chart_has_a_legend_two_axes_and_marks() -> None:
    chart = Chart()
    async with shown(chart, 60, 12) as screen:
        chart.show(DATA, 1)
        await screen.settle()
        lines = screen.lines
        assert lines[0] == "█ ok 9  █ retry 0  █ failed 1"
        assert lines[1].startswith("    20 ╌")
        assert lines[1][7 + 26] == "✖"
        assert lines[-1].split() == ["11:50", "11:52", "11:54", "11:56", "11:58", "now"]
        assert lines[-1].index("11:54") == 7 + int(53 * 0.4)
        assert [strip.cell_length for strip in screen.strips] == [60] * 12
        # What happened before the first sample is blank, and the newest sample is at the edge.
        assert set(lines[-2][7 : 7 + 13]) <= set(" ┊╌")
        assert lines[-2][-1] == "█"


@pytest.mark.parametrize(
    ("size", "first"),
    [
        ((60, 4), "█ ok 9  █ retry 0  █ failed 1"),
        ((20, 3), "█ ok 9  █ failed 1"),
        ((10, 3), "█ failed 1"),
        ((240, 60), "█ ok 9  █ retry 0  █ failed 1"),
    ],
)
async def test_what_does_not_fit_the_legend_is_left_out_but_failures(
    size: tuple[int, int], first: str
) -> None:
    chart = Chart()
    async with shown(chart, *size) as screen:
        chart.show(DATA, 1)
        await screen.settle()
        assert screen.lines[0] == first
        assert "█" in screen.lines[2]


async def test_a_chart_on_one_line() -> None:
    chart = Chart()
    async with shown(chart, 60, 1) as screen:
        chart.show(DATA, 1)
        await screen.settle()
        assert screen.lines[0].endswith("█ ok 9  █ failed 1")
        assert set("▁▂▃▄▅▆▇█") & set(screen.lines[0][:40])


async def test_an_ascii_chart() -> None:
    chart = Chart(glyphs=ASCII)
    async with shown(chart, 60, 8) as screen:
        chart.show(DATA, 1)
        await screen.settle()
        assert all(line.isascii() for line in screen.lines)
        assert screen.lines[0] == "# ok 9  + retry 0  x failed 1"
        assert "x" in "".join(screen.lines[1:])


async def test_the_cursor_reads_the_values_of_its_time() -> None:
    chart = Chart()
    async with shown(chart, 60, 8) as screen:
        chart.show(DATA, 1)
        chart.cursor = END - 5 * 20 + 1
        await screen.settle()
        assert screen.lines[0] == "█ ok 10  █ retry 0  █ failed 1  11:58:21"
        chart.cursor = END - 590
        await screen.settle()
        assert screen.lines[0].startswith("█ ok ?")


async def test_the_legend_has_the_values_of_the_bar_at_the_cursor_and_of_the_last_one() -> None:
    values = [1.0] * 120
    values[59], values[117] = 40.0, 20.0
    data = ChartData((Layer("waiting", values, "first"),), END, 600.0, COUNT, (), UTC)
    chart = Chart()
    async with shown(chart, 40, 10) as screen:
        chart.show(data, 1)
        await screen.settle()
        assert screen.lines[0] == "█ waiting 1"
        bars = [sum(line.ljust(40)[x] == "█" for line in screen.lines[1:-1]) for x in range(7, 40)]
        assert bars[-1] == 0 and bars[-2] == max(bars[20:]) > 1
        for x in range(33):
            chart.cursor = chart.start + (x + 0.5) * chart.seconds_per_column
            await screen.settle()
            drawn = {0: "1", max(bars): "40", bars[-2]: "20"}[bars[x]]
            assert screen.lines[0].startswith(f"█ waiting {drawn} "), x


async def test_a_click_posts_the_time_of_its_column() -> None:
    chart = Chart()
    async with shown(chart, 67, 8) as screen:
        chart.show(DATA, 1)
        await screen.settle()
        await screen.pilot.click(Chart, offset=(7 + 30, 3))
        await screen.pilot.click(Chart, offset=(1, 3))
        assert [message.at for message in screen.of(Chart.TimeChosen)] == [END - 600 + 30.5 * 10]


async def test_a_chart_is_drawn_once_for_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Chart()
    async with shown(chart, 60, 12) as screen:
        chart.show(DATA, 1)
        await screen.settle()
        drawn: list[object] = []
        draw = chart._draw

        def draw_and_count() -> list[Strip]:
            drawn.append(None)
            return draw()

        monkeypatch.setattr(chart, "_draw", draw_and_count)
        chart.refresh()
        chart.show(DATA, 1, ("1/s", "2/s", "3/s"))
        await screen.settle()
        assert screen.lines[0] == "█ ok 1/s  █ retry 2/s  █ failed 3/s"
        assert not drawn
        chart.show(replace(DATA, end=END + 5), 2)
        await screen.settle()
        assert len(drawn) == 1


async def test_a_chart_of_nothing() -> None:
    chart = Chart()
    async with shown(chart, 60, 8) as screen:
        assert screen.lines == [""] * 8
        chart.show(ChartData((Layer("waiting", [nan], "rest"),), END, 600.0), 1)
        await screen.settle()
        assert screen.lines == ["█ waiting ?", *[""] * 3, " " * 24 + "no data yet", *[""] * 3]
        layer = Layer("waiting", [nan], "rest")
        chart.show(ChartData((layer,), END, 600.0, no_values="not recorded"), 2)
        await screen.settle()
        assert screen.lines[4].strip() == "not recorded"


async def test_a_chart_of_the_past_ends_at_its_time_and_not_now() -> None:
    chart = Chart()
    async with shown(chart, 60, 12) as screen:
        chart.show(replace(DATA, past=True), 1)
        await screen.settle()
        assert screen.lines[-1].split()[-1] == "12:00:00"
        assert "now" not in screen.lines[-1]


async def test_a_module_that_another_thread_is_still_importing_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Chart, "imported", None)
    monkeypatch.setattr("celtop.widgets.charts.chart.import_module", lambda name: plotext)
    monkeypatch.setitem(sys.modules, "plotext", ModuleType("plotext"))
    chart = Chart()
    async with shown(chart, 60, 8) as screen:
        chart.show(replace(DATA, layers=(replace(LAYERS[0], is_line=True),)), 1)
        await screen.until(lambda: Chart.imported is plotext)
        await screen.until(
            lambda: any("\u2800" < char < "\u2900" for char in "".join(screen.lines))
        )
