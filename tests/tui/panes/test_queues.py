"""The pane of the queues."""

from __future__ import annotations

from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import Location


async def test_the_age_of_the_depths_is_shown_framed_and_in_one_line() -> None:
    state = cluster(60)
    async with run_app(state, Location("overview"), size=(140, 40)) as on:
        pane = on.screen.queues
        assert "ago" not in pane.status()[1]
        for queue in state.queues.values():
            queue.measured_at = NOW - 23
        on.app.frame_loop.paint()
        await on.until(lambda: "measured 23 s ago" in on.text)
        assert "measured 23 s ago" in [part.text for part in pane.summary()]
