"""How the pages of tasks, workers, queues and types use their room."""

from __future__ import annotations

import pytest
from celtop.model.wire.events import EventBatch
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.navigation import DrillDown, Kind, Location
from celtop.tui.pages.base.detail import (
    MAX_HISTOGRAM,
    DetailScreen,
    histogram_need,
    list_need,
    shared,
)
from celtop.tui.panes.chart_strip import HEIGHTS, ChartStrip
from celtop.tui.panes.heights import Need, blank_lines
from celtop.widgets.charts.chart import Chart
from celtop.widgets.charts.timeline import Timeline
from textual.widget import Widget

RUNNING = f"{9001:08x}-0000-4000-8000-{9001:012x}"


@pytest.mark.parametrize(
    ("view", "kind", "subject", "first"),
    [
        ("tasks", "task", RUNNING, "Arguments and result"),
        ("workers", "worker", "celery@web-1", "Active"),
        ("queues", "queue", "celery", "Queue"),
        ("types", "type", "mail.send", "Task type"),
    ],
)
async def test_a_narrow_page_starts_at_its_top_with_the_focus_in_sight(
    view: str, kind: Kind, subject: str, first: str
) -> None:
    location = Location(view).deeper(DrillDown(kind, subject))
    async with run_app(cluster(), location, (80, 24)) as on:
        screen = on.screen
        assert isinstance(screen, DetailScreen)
        await on.until(lambda: screen.query_one("#panes").max_scroll_y > 0)
        assert screen.query_one("#panes").scroll_y == 0
        focused = screen.focused
        assert isinstance(focused, Widget)
        assert focused.region.y < 20
        assert first in "\n".join(on.text.splitlines()[2:14])
        await on.press("G" if kind in ("queue", "type") else "tab")
        assert len([line for line in on.text.splitlines() if line]) == 24


async def test_a_pane_is_hidden_rather_than_shown_without_a_line_of_content() -> None:
    location = Location("workers").deeper(DrillDown("worker", "celery@geo-2"))
    async with run_app(cluster(), location, (120, 36)) as on:
        assert "Reserved        " in on.text  # the number among the fields
        assert "─ Reserved ─" not in on.text
        assert "─ Active ─" in on.text


async def test_a_pane_is_mounted_in_its_place_when_it_gets_content() -> None:
    state = cluster(20)
    feed(state, task_events(500, "mail.send", uuid="alone", at=NOW - 9, end=None))
    location = Location("tasks").deeper(DrillDown("task", "alone"))
    async with run_app(state, location, (120, 36)) as on:
        column = on.screen.query_one("#right")
        assert [pane.id for pane in column.children] == ["facts", "latest"]
        child = task_events(501, "mail.log", root_id="alone", parent_id="alone", at=NOW - 1)
        on.session.put(EventBatch(tuple(child), NOW))
        await on.until(lambda: "─ Related tasks ─" in on.text and "mail.log" in on.text)
        assert [pane.id for pane in column.children] == ["facts", "related", "latest"]


def test_a_histogram_of_few_runs_leaves_lines_to_the_charts_above() -> None:
    assert histogram_need(0, 2).rows == 0
    assert (histogram_need(1, 2).whole, histogram_need(500, 2).whole) == (2, MAX_HISTOGRAM)
    column = {"facts": Need(9, 2), "runtimes": histogram_need(1, 2)}
    assert blank_lines(column, 30) == 15


def test_lines_go_to_panes_with_content_and_none_is_too_small_to_show_a_row() -> None:
    needs = {"facts": Need(12, 2), "list": list_need(range(20)), "rest": Need(5, 2, 5, True, True)}
    assert shared(needs, 40) == {"facts": 14, "list": 11, "rest": 15}
    assert shared(needs, 25) == {"facts": 14, "list": 11}
    assert shared(needs, 6) == {"facts": 6}


async def test_a_task_s_page_has_what_is_known_of_its_type_where_there_is_room() -> None:
    location = Location("tasks").deeper(DrillDown("task", RUNNING))
    async with run_app(cluster(), location, (120, 44)) as on:
        await on.until(lambda: "Latest tasks of geo.convert_to_raster" in on.text)
        assert "Run times of geo.convert_to_raster" in on.text
        screen = on.screen
        screen.set_focus(screen.latest_table)
        await on.press("j")
        (task,) = screen.copied()
        assert task.name == "geo.convert_to_raster" and task.id != RUNNING
        await on.pilot.resize_terminal(120, 24)
        await on.until(lambda: "Latest tasks" not in on.text)
        assert "ID       " in on.text


async def test_the_exception_and_the_own_frame_are_in_sight_in_a_low_terminal() -> None:
    state = cluster()
    (failed, *_) = (task for task in state.tasks.values() if task.traceback)
    location = Location("tasks").deeper(DrillDown("task", failed.id))
    async with run_app(state, location, (60, 15)) as on:
        await on.until(lambda: "tasks.py:41" in on.text)
        assert "ConnectTimeout" in on.text and "Arguments and result" in on.text


@pytest.mark.parametrize(
    ("view", "kind", "subject", "few", "legends"),
    [
        ("tasks", "task", RUNNING, 0, ("ok", "run p50", "p50")),
        ("workers", "worker", "celery@web-1", 1, ("busy", "ok", "load", "memory")),
    ],
)
async def test_only_charts_that_there_is_room_for_are_mounted(
    view: str, kind: Kind, subject: str, few: int, legends: tuple[str, ...]
) -> None:
    location = Location(view).deeper(DrillDown(kind, subject))
    async with run_app(cluster(), location, (120, 36)) as on:
        assert len(on.screen.query(Chart)) == few
        await on.pilot.resize_terminal(240, 60)
        await on.until(lambda: len(on.screen.query(Chart)) == len(legends))
        await on.until(lambda: all(chart.size.height > 1 for chart in on.screen.query(Chart)))
        titles = [kind.title for kind in on.screen.chart_strip._kinds]
        await on.until(lambda: all(title in on.text for title in titles))
        at = [on.text.index(title) for title in titles]
        assert at == sorted(at)
        assert all(legend in on.text for legend in legends)


async def test_charts_take_the_lines_that_short_lists_leave_blank() -> None:
    location = Location("queues").deeper(DrillDown("queue", "notifications"))
    async with run_app(cluster(), location, (240, 60)) as on:
        strip = on.screen.query_one(ChartStrip)
        await on.until(lambda: strip.size.height > HEIGHTS[-1] + 20)
        await on.press("f")
        await on.press("f")
        await on.until(lambda: strip.size.height > HEIGHTS[-1] + 20)
        await on.pilot.resize_terminal(80, 24)
        await on.until(lambda: strip.size.height == HEIGHTS[0])

    async with run_app(cluster(), location, (120, 30)) as on:
        await on.until(lambda: on.screen.query_one(ChartStrip).size.height == HEIGHTS[0])


@pytest.mark.parametrize(
    ("view", "kind", "subject", "wider"),
    [("workers", "worker", "celery@web-1", "left"), ("queues", "queue", "celery", "right")],
)
async def test_the_column_of_lists_is_wider_in_a_wide_terminal(
    view: str, kind: Kind, subject: str, wider: str
) -> None:
    location = Location(view).deeper(DrillDown(kind, subject))
    async with run_app(cluster(), location, (240, 60)) as on:
        await on.until(lambda: on.screen.query_one(f"#{wider}").size.width == 144)


async def test_the_timeline_has_its_lines_in_the_first_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[int] = []
    lay_out = DetailScreen.lay_out

    def noted(screen: DetailScreen) -> None:
        lay_out(screen)
        lines.append(screen.query_one(Timeline).size.height)

    monkeypatch.setattr(DetailScreen, "lay_out", noted)
    location = Location("tasks").deeper(DrillDown("task", RUNNING))
    async with run_app(cluster(), location, (120, 36)):
        assert set(lines) == {2}
