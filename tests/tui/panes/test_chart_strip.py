"""The charts above the panes of a page."""

from __future__ import annotations

import pytest
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tests.widgets.screen_text import HOSTILE, SHOWN
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.panes.chart_strip import FramedChart

QUEUE = Location("queues").deeper(DrillDown("queue", "celery"))


async def test_titles_of_charts_are_no_markup() -> None:
    state = cluster()
    feed(state, task_events(7001, HOSTILE, at=NOW - 5))
    [id_] = [task.id for task in state.tasks.values() if task.name == HOSTILE]
    location = Location("tasks").deeper(DrillDown("task", id_))
    async with run_app(state, location, (200, 50)) as on:
        await on.until(lambda: f"─ Throughput of {SHOWN}" in on.text)


@pytest.mark.parametrize(
    ("size", "ascii_only", "border"),
    [((120, 36), False, "round"), ((120, 36), True, "ascii"), ((80, 24), True, "")],
    ids=["framed", "framed in ascii", "on one line"],
)
async def test_charts_have_frames_if_there_is_room(
    size: tuple[int, int], ascii_only: bool, border: str
) -> None:
    async with run_app(cluster(), QUEUE, size, ascii=ascii_only) as on:
        charts = on.screen.query(FramedChart)
        await on.until(lambda: any(chart.size.height for chart in charts))
        assert {chart.styles.border_top[0] for chart in charts} == {border}
        assert on.text.isascii() == ascii_only
