"""What a high terminal shows of the selected row of a list."""

from __future__ import annotations

import pytest
from celtop.model.observations import LogMessage
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.details.compare import comparison_of
from celtop.tui.navigation import Location
from celtop.tui.panes.preview import MIN_LOW_CHART_LINES, Preview

WORKERS = ("celery@geo-1", "celery@web-1")


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


async def test_a_high_terminal_shows_charts_below_numbers_that_would_leave_lines_blank() -> None:
    async with run_app(cluster(60), Location("queues"), size=(120, 50)) as on:
        preview = on.screen.query_one(Preview)
        on.app.repaint()
        await on.until(lambda: preview.display and preview.charts[0].region.y > 10)
        await on.until(lambda: preview.charts[0].region.y == preview.fields.region.bottom)
        assert preview.charts[0].region.x == preview.fields.region.x


async def test_a_low_terminal_shows_it_in_lines_that_the_list_does_not_need() -> None:
    async with run_app(cluster(60), Location("queues"), size=(80, 24)) as on:
        on.app.repaint()
        await on.until(lambda: "Unacknowledged" in on.text)
        assert on.table.size.height == 1 + len(on.table.rows)
        await on.pilot.resize_terminal(80, 16)
        on.app.repaint()
        preview = on.screen.query_one(Preview)
        await on.until(lambda: preview.size.height < 10)
        shown = preview.size.height
        hidden = len(on.screen.previewed(on.table.cursor_row).fields) - shown
        await on.until(lambda: hidden > 0 and f" {hidden} more " in on.text)
        await on.pilot.resize_terminal(80, 40)
        on.app.repaint()
        await on.until(lambda: preview.size.height > 20 and " more " not in on.text)
        await on.pilot.resize_terminal(80, 12)
        on.app.repaint()
        await on.until(lambda: preview.display and preview.size.height < MIN_LOW_CHART_LINES)
        await on.until(lambda: not preview.charts[0].region and preview.fields.max_columns > 1)
        await on.pilot.resize_terminal(80, 10)
        on.app.repaint()
        await on.until(lambda: not on.screen.query_one(Preview).display)


async def test_compare_has_both_values_in_full_below_the_list() -> None:
    compared = comparison_of([cluster(60).workers[name] for name in WORKERS])
    assert compared is not None
    async with run_app(cluster(60), Location("workers").deeper(compared), size=(80, 24)) as on:
        preview = on.screen.query_one(Preview)
        on.app.repaint()
        await on.until(lambda: preview.display and preview.outer_size.height == 4)
        await on.to("Since celtop started")
        on.app.repaint()
        await on.until(lambda: "─ Since celtop started ─" in on.text)
        _, shown = on.text.split("─ Since celtop started ─")
        assert all(name in shown for name in WORKERS)
        assert shown.count("received") == 2 and "failed" in shown and "…" not in shown
        assert preview.outer_size.height == 4 and on.table.size.height > 14
        # Values that need more lines get them, and the list moves once, not with each row.
        await on.pilot.resize_terminal(60, 24)
        on.app.repaint()
        await on.until(lambda: preview.outer_size.height == 6)
        await on.press("g")
        on.app.repaint()
        await on.pilot.pause()
        assert preview.outer_size.height == 6


async def test_the_whole_entry_of_the_log_is_shown_in_lines_that_the_list_does_not_need() -> None:
    state = cluster(60)
    state.observe(LogMessage("warning", "events", "a long message " * 10, NOW))
    async with run_app(state, Location("log"), size=(80, 24)) as on:
        on.app.repaint()
        preview = on.screen.query_one(Preview)
        await on.until(lambda: preview.display and "Message" in on.text)
        await on.until(lambda: preview.size.height == preview.fields.lines)
        assert on.text.count("a long message") > 10
        for number in range(30):
            state.observe(LogMessage("info", "broker", f"connected {number}", NOW + 1))
        on.app.frame_loop.paint()
        await on.until(lambda: not preview.display)
