"""The charts page: windows, a cursor for all charts, and the tasks of a moment."""

from __future__ import annotations

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import DrillDown, Kind, Location
from celtop.tui.pages.charts import ChartsScreen
from celtop.widgets.charts.chart import Chart
from celtop.widgets.tile import Tile


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
        ((DrillDown("type", "images.resize"),), "Types › images.resize › Charts  15 m"),
        ((DrillDown("failures", "", "Failures"),), "Failures › Charts  whole cluster, 15 m"),
    ],
)
async def test_charts_below_a_page_name_what_they_are_of(
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


SUBJECTS = [
    ("queue", "celery", "queue:=celery", ["waiting", "rates", "ages"]),
    ("worker", "celery@web-1", "worker:=celery@web-1", ["busy", "finished", "load", "memory"]),
    ("type", "mail.send", "name:=mail.send", ["throughput", "runtimes", "waits", "failures"]),
]


@pytest.mark.parametrize(("kind", "name", "term", "kinds"), SUBJECTS)
async def test_a_subject_has_its_own_charts_and_tasks(
    kind: Kind, name: str, term: str, kinds: list[str]
) -> None:
    step = DrillDown(kind, name)
    async with run_app(cluster(30), Location(f"{kind}s", (step,))) as ui:
        await ui.press("c", "tab")
        screen = page(ui)
        assert [each.id for each in screen.kinds] == list(screen.charts) == kinds
        await ui.press("left", "enter")
        found = ui.app.location.path[-1]
        assert term in found.subject.split() and ":2027-01-15T07:5" in found.subject
        await ui.press("escape", "escape", "escape")
        assert ui.app.location.path == (step,)


async def test_the_tasks_of_a_time_are_those_of_the_subject() -> None:
    async with run_app(cluster(30), Location("types", (DrillDown("type", "mail.send"),))) as ui:
        await ui.press("c")
        ended = ui.app.context.state.tasks.values()
        at = max(task.finished_at or 0 for task in ended if task.name == "mail.send")
        page(ui)._move_cursor(at)
        await ui.press("enter")
        await ui.until(lambda: len(ui.table.rows))
        assert {task.name for task in ui.table.rows} == {"mail.send"}


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ((DrillDown("queue", "celery"),), "In and out · celery"),
        ((DrillDown("failures", "", "Failures"),), "Failure share ─"),
    ],
)
async def test_a_zoomed_chart_names_what_it_is_of(path: tuple[DrillDown, ...], title: str) -> None:
    async with run_app(cluster(), Location("queues", path), size=(60, 15)) as ui:
        await ui.press("c", "tab")
        before = page(ui).focused
        assert isinstance(before, Tile)
        await ui.press("f")
        await ui.until(lambda: title in ui.text.splitlines()[0])
        await ui.press("f")
        await ui.until(lambda: not page(ui).zoomed)
        assert " · " not in str(before.border_title)


@pytest.mark.parametrize("size", [(120, 36), (60, 15)])
async def test_three_charts_leave_no_room_blank(size: tuple[int, int]) -> None:
    where = Location("queues", (DrillDown("queue", "celery"),))
    async with run_app(cluster(), where, size) as ui:
        await ui.press("c")
        await ui.until(lambda: page(ui).tiles[0].size.height > 2)
        first, second, last = page(ui).tiles
        if size[0] == 120:
            assert first.region.y == second.region.y
            assert last.region.width == first.region.width + second.region.width
        await ui.press("tab", "j")
        assert page(ui).focused is last
        await ui.press("f")
        await ui.until(lambda: last.region.height > size[1] - 5)
        await ui.press("f", "k")
        assert page(ui).focused is (first if size[0] == 120 else second)


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
