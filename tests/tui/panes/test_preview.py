"""What a high terminal shows of the selected row of a list."""

from __future__ import annotations

import pytest
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.navigation import Location
from celtop.tui.panes.preview import Preview


async def test_the_selected_queue_is_shown_below_the_list() -> None:
    async with run_app(cluster(60), Location("queues"), size=(120, 40)) as on:
        await on.to("geo_processing")
        on.app.repaint()
        await on.until(lambda: "Queue geo_processing" in on.text and "Unacknowledged" in on.text)
        preview = on.screen.query_one(Preview)
        # The list needs a line for its titles and for each row, the preview has the rest.
        assert on.table.size.height == 1 + len(on.table.rows)
        # Charts of which no value is known give their room away.
        assert [chart.display for chart in preview.charts] == [True, False, False]
        await on.press("g")
        first = on.table.cursor_id
        assert f"Queue {first}" in on.text
        await on.press("/", *"reports", "enter")
        await on.until(lambda: "Queue reports" in on.text)


@pytest.mark.parametrize("view", ["workers", "types"])
async def test_workers_and_task_types_have_one_too(view: str) -> None:
    async with run_app(cluster(60), Location(view), size=(160, 40)) as on:
        on.app.repaint()
        await on.until(lambda: on.screen.query_one(Preview).display)
        assert on.screen.query_one(Preview).fields.fields


async def test_a_low_terminal_shows_it_in_lines_that_the_list_does_not_need() -> None:
    async with run_app(cluster(60), Location("queues"), size=(80, 24)) as on:
        on.app.repaint()
        await on.until(lambda: "Unacknowledged" in on.text)
        assert on.table.size.height == 1 + len(on.table.rows)
        await on.pilot.resize_terminal(80, 12)
        on.app.repaint()
        await on.until(lambda: not on.screen.query_one(Preview).display)
