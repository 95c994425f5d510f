"""The latest tasks of pages."""

from __future__ import annotations

from unittest.mock import patch

from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.pages.base import latest_tasks
from celtop.tui.pages.base.detail import DetailScreen


async def test_a_page_looks_for_its_latest_tasks_over_several_frames_without_any_change() -> None:
    state = cluster(1_000)
    location = Location("types").deeper(DrillDown("type", "mail.send"))
    with patch.object(latest_tasks, "FILTER_BUDGET", 0.0):
        async with run_app(state, location, (120, 36)) as on:
            screen = on.screen
            assert isinstance(screen, DetailScreen)
            await on.until(lambda: not screen.filtering)
            ids = {task.id for task in state.tasks.values() if task.name == "mail.send"}
            assert {task.id for task in screen.latest} == ids
