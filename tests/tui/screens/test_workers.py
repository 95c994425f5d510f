"""The Workers screen."""

from __future__ import annotations

from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.navigation import Location

DRAINED = "celery@web-1"


async def test_a_worker_that_is_being_drained_is_listed_with_those_that_need_attention() -> None:
    state = cluster()
    state.workers[DRAINED].draining = True
    async with run_app(state, Location("workers")) as on:
        await on.until(lambda: "draining" in on.text)
        await on.press("!")
        assert [worker.name for worker in on.table.rows] == ["celery@geo-2", DRAINED]
        state.workers[DRAINED].draining = False
        on.app.frame_loop.paint()
        await on.press("!", "!")
        assert [worker.name for worker in on.table.rows] == ["celery@geo-2"]
