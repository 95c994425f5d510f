"""The Workers screen."""

from __future__ import annotations

from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed
from celtop.tui.navigation import Location

DRAINED = "celery@web-1"


async def test_a_worker_that_was_lost_is_above_those_that_have_long_been_offline() -> None:
    state = cluster()
    feed(state, [Event("worker-offline", DRAINED, NOW)])
    assert state.workers[DRAINED].active_ids
    async with run_app(state, Location("workers")) as on:
        assert [one.name for one in on.table.rows] == [DRAINED, "celery@geo-2", "celery@geo-1"]


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
