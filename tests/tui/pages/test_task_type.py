"""The page of a task type."""

from __future__ import annotations

from celtop.model.entities.task_type import TaskType
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import AppUnderTest, Clock, make_app, run_app, screen_lines
from celtop.tests.tui.fake_session import NOW, cluster, feed
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.pages.task_type import TypeScreen


async def test_it_shows_states_run_times_workers_and_failures_of_the_type() -> None:
    state = cluster()
    app, session = make_app(state, Clock())
    async with app.run_test(size=(140, 44)) as pilot:
        on = AppUnderTest(app, session, pilot)
        await on.press("5")
        await on.to("mail.send")
        await on.press("enter")
        await on.until(lambda: isinstance(app.screen, TypeScreen) and app.screen.ready)
        await on.pilot.pause(0.05)
        screen = app.screen
        assert isinstance(screen, TypeScreen)
        await on.until(lambda: not screen.filtering)
        assert screen.chosen(TaskType) == [state.types["mail.send"]]
        assert {task.name for task in screen.latest} == {"mail.send"}
        assert all("mail.send" in group.names for group in screen.failure_rows)
        registered = {
            name
            for name, worker in state.workers.items()
            if worker.registered is not None and "mail.send" in worker.registered
        }
        assert {row.name for row in screen.worker_rows} == registered
        text = "\n".join(screen_lines(app))
        assert "Types › mail.send" in text
        assert "p50" in text
        assert "ConnectTimeout" in text


async def test_a_worker_that_was_lost_is_above_the_others() -> None:
    state = cluster()
    feed(state, [Event("worker-offline", "celery@web-1", NOW)])
    where = Location("types", (DrillDown("type", "mail.send"),))
    async with run_app(state, where, size=(140, 44)) as on:
        screen = on.screen
        assert [row.name for row in screen.worker_rows] == [
            *("celery@web-1", "celery@geo-2", "celery@geo-1"),
        ]
        assert screen.panes["workers"].has_class("-bad")
