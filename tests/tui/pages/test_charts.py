"""The charts page: windows, a cursor for all charts, and the tasks of a moment."""

from __future__ import annotations

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.pages.charts import ChartsScreen
from celtop.widgets.charts.chart import Chart


def page(ui: AppUnderTest) -> ChartsScreen:
    screen = ui.app.screen
    assert isinstance(screen, ChartsScreen)
    return screen


@pytest.mark.parametrize(("size", "columns"), [((80, 24), 2), ((240, 60), 3)])
async def test_the_charts_use_the_room(size: tuple[int, int], columns: int) -> None:
    async with run_app(cluster(), size=size) as ui:
        await ui.press("c")
        await ui.until(lambda: page(ui).tiles[0].size.height > 2)
        tiles = page(ui).tiles
        assert len({tile.region.x for tile in tiles}) == columns
        assert len({tile.region.width for tile in tiles}) <= 2
        # Nothing scrolls, and no line is left over.
        assert max(tile.region.bottom for tile in tiles) == page(ui).grid.region.bottom


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "Charts  15 m"),
        ((DrillDown("type", "images.resize"),), "images.resize › Charts  whole cluster, 15 m"),
    ],
)
async def test_below_a_page_the_charts_say_that_they_are_of_the_whole_cluster(
    path: tuple[DrillDown, ...], text: str
) -> None:
    async with run_app(cluster(), Location("types", path), size=(80, 24)) as ui:
        await ui.press("c")
        await ui.until(lambda: text in ui.text.splitlines()[1])


async def test_the_cursor_reads_all_charts_and_opens_the_tasks_of_its_time() -> None:
    async with run_app(cluster()) as ui:
        await ui.press("c", "left", "left", "l", "h")
        screen = page(ui)
        at = screen.cursor
        assert at is not None
        assert {chart.cursor for chart in screen.charts.values()} == {at}
        width = screen.chart.seconds_per_column
        assert NOW - at == pytest.approx(1.5 * width)
        await ui.press("tab", "enter")
        assert ui.app.location.path[-1].subject.startswith(
            "state:failure finished:2027-01-15T07:59:"
        )
        await ui.press("escape", "escape")
        assert page(ui).cursor is None
        await ui.press("escape")
        assert not ui.app.location.path


async def test_tasks_of_a_time_are_found() -> None:
    async with run_app(cluster()) as ui:
        await ui.press("c", *["left"] * 4, "enter")
        await ui.until(lambda: len(ui.table.rows) == 8)
        listed = [ui.table.rows[index] for index in range(8)]
        low, high = page_range(ui)
        assert all(low <= task.finished_at <= high + 1 for task in listed)


def page_range(ui: AppUnderTest) -> tuple[float, float]:
    """Return the time of the page below."""
    screen = ui.app.screen_stack[-2]
    assert isinstance(screen, ChartsScreen)
    return screen._moment()


async def test_the_window_and_the_zoom() -> None:
    async with run_app(cluster()) as ui:
        await ui.press("c", ".", ".")
        assert ui.app.context.chart_seconds == 3_600
        assert "1 h" in ui.text
        await ui.press(",", ",", ",")
        assert ui.app.context.chart_seconds == 300
        before = page(ui).tiles[1].size
        await ui.press("j", "k", "tab", "f")
        await ui.until(lambda: page(ui).tiles[1].size.width > before.width)
        assert not page(ui).tiles[0].display
        await ui.press("escape")
        assert page(ui).tiles[0].display


async def test_a_click_moves_the_cursor_and_a_double_click_opens_the_tasks() -> None:
    async with run_app(cluster()) as ui:
        await ui.press("c")
        await ui.until(lambda: page(ui).tiles[0].size.height > 2)
        busy = page(ui).charts["busy"]
        for _ in range(2):
            await ui.pilot.click(busy, offset=(20, 3))
            assert page(ui).cursor == busy.cursor is not None
            assert page(ui).focused is page(ui).tiles[-1]
            await ui.pilot.pause(0.6)  # two single clicks
        await ui.pilot.double_click(busy, offset=(20, 3))
        await ui.until(lambda: len(ui.app.location.path) == 2)
        assert ui.app.location.path[-1].subject.startswith("started:")


async def test_a_click_reads_a_column_of_the_overview() -> None:
    async with run_app(cluster()) as ui:
        chart = ui.app.screen.query_one("#graph", Chart)
        await ui.until(lambda: chart.size.height > 2)
        await ui.pilot.click(chart, offset=(20, 3))
        assert chart.cursor is not None
        await ui.press("escape")
        assert chart.cursor is None
