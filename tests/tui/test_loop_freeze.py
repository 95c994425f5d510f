"""A frozen screen is a snapshot: it can be browsed, and the model goes on beneath it."""

from __future__ import annotations

from datetime import UTC

import pytest
from celtop.model.entities.task import Task
from celtop.model.observations import QueuePeeked, WaitingMessage
from celtop.model.state import ClusterState
from celtop.model.text import units
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tests.tui.operation_app import RUNNING, WAITING, opened
from celtop.tui import freeze
from celtop.tui.navigation import DrillDown, Location


async def go(on: AppUnderTest, location: Location) -> None:
    on.app.go(location)
    await on.until(lambda: on.app.location == location and on.screen.ready)
    await on.pilot.pause()


def ends(on: AppUnderTest) -> None:
    """Let the running task fail, and others arrive."""
    state = on.session.state
    failure = {"exception": "OSError('disk full')", "traceback": "", "uuid": RUNNING}
    feed(state, [Event("task-failed", "celery@web-1", NOW, **failure)])  # type: ignore[arg-type]
    for number in range(600, 640):
        feed(state, task_events(number, "new.type", worker="new@w", at=NOW))
    on.app.frame_loop.paint()


async def test_what_is_opened_while_frozen_shows_the_moment_of_the_freeze() -> None:
    async with opened() as on:
        await on.press("p")
        rows = len(on.table.rows)
        ends(on)
        assert len(on.table.rows) == rows
        assert f"FROZEN {units.clock(NOW, UTC)} +" in on.text
        await go(on, Location("tasks", (DrillDown("task", RUNNING),)))
        assert "reports.weekly" in on.text and "STARTED" in on.text
        assert "disk full" not in on.text
        await go(on, Location("tasks", (DrillDown("failures", ""),)))
        assert "ConnectTimeout" in on.text and "disk full" not in on.text
        await go(on, Location("workers"))
        assert "celery@web-1" in on.text and "new@w" not in on.text
        await go(on, Location("types"))
        assert "new.type" not in on.text
        await on.press("p")
        await on.until(lambda: "new.type" in on.text and "FROZEN" not in on.text)
        await go(on, Location("tasks"))
        assert len(on.table.rows) == rows + 40


async def test_a_frozen_list_can_be_filtered_sorted_and_marked() -> None:
    async with opened() as on:
        await on.press("p")
        ends(on)
        on.app.filter_by("state:started")
        on.app.frame_loop.paint()
        assert on.table.rows.index(RUNNING) is not None
        on.app.filter_by("name:new")
        on.app.frame_loop.paint()
        assert len(on.table.rows) == 0
        on.app.filter_by("")
        await on.to(RUNNING)
        await on.press("space", ">", "I")
        assert on.table.marks == (RUNNING,)
        [row] = on.screen.copied()
        assert row.state == "STARTED"
        await on.press("p")
        assert on.table.marks == (RUNNING,)
        [row] = on.screen.copied()
        assert row.state == "FAILURE"


async def test_an_operation_on_a_frozen_screen_goes_by_the_present_state() -> None:
    async with opened() as on:
        await on.press("p")
        ends(on)
        await on.to(RUNNING)
        on.app.keep_selection()
        [task] = on.app.selection(Task)
        assert task.state == "FAILURE"
        await on.press("K")
        assert any("already finished (FAILURE)" in text for text in on.said)
        await on.to(WAITING[0])
        await on.press("X")
        await on.asked()
        await on.press("y")
        on.session.operations[0].end()
        await on.until(lambda: "Revoked" in on.text)
        assert on.app.context.frozen


async def test_a_frozen_overview_steps_through_the_last_hour() -> None:
    async with opened() as on:
        state = on.session.state
        for second in range(40):
            if second == 20:
                feed(state, task_events(900, "late.task", at=NOW + second, end=None))
            state.tick(NOW + second)
        on.app.context.clock = lambda: NOW + 40
        await go(on, Location("overview"))
        await on.press("p")
        assert "late.task" in on.text
        lost = next(task for task in state.tasks.values() if task.lost_at is not None)
        assert on.screen.running.rows.index(lost.id) is None
        await on.press("left", "left")
        await on.until(lambda: "late.task" not in on.text)
        assert on.screen.running.rows.index(lost.id) is not None
        assert f"FROZEN {units.clock(NOW + 10, UTC)}" in on.text
        assert f"{len(state.tasks) - 1} tasks" in on.text
        await on.press("5")
        await on.until(lambda: "numbers from when the screen was frozen" in on.text)
        await on.press("1")
        await on.press("right", "right")
        await on.until(lambda: "late.task" in on.text)
        await on.press("p")
        assert "FROZEN" not in on.text


async def test_steps_of_a_key_that_is_held_down_are_shown_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened() as on:
        for second in range(400):
            on.session.state.tick(NOW + second)
        on.app.context.clock = lambda: NOW + 400
        on.app.context.freeze.begin()
        shown: list[float] = []

        def past(state: ClusterState, at: float) -> ClusterState:
            shown.append(at)
            return state

        monkeypatch.setattr(freeze, "state_at", past)
        steps = [on.app.context.freeze.step(-1, on.app.context.chart_seconds) for _ in range(30)]
        assert all(steps) and not shown
        assert on.app.context.freeze.take_moment() and not on.app.context.freeze.take_moment()
        assert shown == [on.app.context.now()]


async def test_what_is_looked_up_while_frozen_is_shown() -> None:
    async with opened(Location("queues")) as on:
        await on.press("p")
        await on.to("celery")
        message = WaitingMessage("waiting-1", "shop.bill", "celery")
        seen = QueuePeeked("celery", (message,), NOW, complete=True, is_listing=True)
        on.session.peeking.set_result(seen)
        on.session.put(seen)
        await on.press("v")
        await on.until(lambda: bool(on.app.location.path))
        assert not on.app.context.frozen
        assert "Unfrozen to show the result" in on.said
        await on.until(lambda: "shop.bill" in on.text)
