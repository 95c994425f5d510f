"""The loop keeps the model and the screen up to date."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from celtop.cluster.session import Pumped
from celtop.model.query import task_view
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import AppUnderTest, make_app, run_app
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tui.loop import MAX_PUMP_BUDGET, PUMP_BUDGET
from celtop.tui.navigation import PAGES, DrillDown, Location
from celtop.tui.screens.tasks import TaskListScreen
from textual.events import Key


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def arrive(on: AppUnderTest, first: int, last: int) -> None:
    for number in range(first, last):
        feed(on.session.state, task_events(number, "shop.bill", at=NOW - 1_000 + number))


async def go(on: AppUnderTest, location: Location) -> None:
    on.app.go(location)

    def arrived() -> bool:
        screen = on.app.monitor_screen
        return screen is not None and screen.ready and screen.location == location

    await on.until(arrived)


async def protected(on: AppUnderTest, *ids: str) -> None:
    """Wait until the loop protects exactly these."""

    def protects() -> bool:
        on.app.frame_loop._protect_selected()
        return on.app.frame_loop._protected == set(ids)

    await on.until(protects)


async def test_marked_and_opened_tasks_stay_in_memory() -> None:
    async with run_app(ClusterState(max_tasks=100), Location("tasks")) as on:
        held = on.session.state.tasks
        arrive(on, 0, 60)
        on.app.frame_loop.paint()
        await on.to(uuid(7))
        await on.press("space")
        await protected(on, uuid(7))
        await go(on, Location("queues"))
        await go(on, Location("tasks", (DrillDown("task", uuid(9)),)))
        await protected(on, uuid(7), uuid(9))
        arrive(on, 100, 400)
        assert uuid(7) in held
        assert uuid(9) in held
        assert uuid(8) not in held
        await go(on, Location("tasks"))
        await protected(on, uuid(7))
        arrive(on, 500, 700)
        assert uuid(7) in held
        assert uuid(9) not in held


async def test_everything_goes_on_under_a_dialog() -> None:
    async with run_app(ClusterState(), Location("tasks")) as on:
        arrive(on, 0, 3)
        on.app.frame_loop.paint()
        await on.press("Y")
        arrive(on, 3, 7)
        on.app.frame_loop.paint()
        await on.pilot.pause()
        assert "Copy" in on.text
        assert "7 tasks" in on.text
        assert uuid(6)[:8] in on.text


@patch.object(task_view, "TASKS_PER_LOOK", 1)
async def test_a_filter_goes_on_although_nothing_else_changes() -> None:
    async with run_app(ClusterState(), Location("tasks")) as on:
        arrive(on, 0, 6)
        on.app.frame_loop.paint()
        screen = on.app.monitor_screen
        assert isinstance(screen, TaskListScreen)
        screen.tasks.budget = 0.0
        assert screen.filter_by("name:shop.bill")
        for unseen in range(5, 0, -1):
            assert screen.tasks.unseen == unseen
            on.app.frame_loop.paint()
            assert on.app.frame_loop.pacer.wanted == (unseen > 1)
        assert len(screen.tasks) == 6


async def test_a_key_concerns_the_row_that_was_under_the_cursor_when_it_went_down() -> None:
    async with run_app(ClusterState(), Location("tasks")) as on:
        arrive(on, 0, 3)
        on.app.frame_loop.paint()
        key = Key("y", "y")
        arrive(on, 3, 6)
        on.app.frame_loop.paint()
        assert on.table.cursor_id == uuid(5)
        on.app.post_message(key)
        await on.until(lambda: on.clipboard)
        assert on.clipboard == uuid(2)
        arrive(on, 6, 9)
        on.app.frame_loop.paint()
        await on.press("y")
        assert on.clipboard == uuid(2)
        assert "following" in on.text
        await on.press("F", "F")
        assert on.table.cursor_id == uuid(8)


async def test_after_moving_a_key_concerns_the_row_moved_to() -> None:
    async with run_app(ClusterState(), Location("tasks")) as on:
        arrive(on, 0, 3)
        on.app.frame_loop.paint()
        on.burst("j", "y")
        await on.until(lambda: on.clipboard)
        assert on.clipboard == uuid(1)


async def test_a_backlog_without_an_end_holds_up_no_key() -> None:
    async with run_app(ClusterState(), Location("tasks")) as on:
        with patch.object(on.session, "pump", return_value=Pumped(100, more=True)) as pump:
            on.app.frame_loop.beat_soon()
            await on.until(lambda: pump.call_count >= 3)
            on.burst("4")
            await on.until(lambda: on.app.location == Location("queues"))


async def test_a_backlog_gets_as_much_time_as_keys_but_no_more_than_a_moment() -> None:
    async with run_app(ClusterState(), Location("tasks")) as on:
        frames = on.app.frame_loop
        assert frames._timer is not None
        frames._timer.cancel()

        def budget(*, more: bool, since: float) -> float:
            frames._is_due, frames._pumped_at = True, time.monotonic() - since
            with patch.object(on.session, "pump", return_value=Pumped(1, more)) as pump:
                frames.keep_up()
            found: float = pump.call_args.args[1]
            return found

        budget(more=False, since=0.0)
        assert budget(more=True, since=60.0) == PUMP_BUDGET
        assert budget(more=True, since=60.0) == MAX_PUMP_BUDGET
        assert PUMP_BUDGET < budget(more=True, since=0.05) <= MAX_PUMP_BUDGET
        assert budget(more=False, since=-60.0) == PUMP_BUDGET
        assert budget(more=False, since=60.0) == PUMP_BUDGET


async def test_a_frame_that_is_due_waits_for_no_queued_key() -> None:
    async with run_app(ClusterState(), Location("tasks")) as on:
        frames = on.app.frame_loop
        assert frames._timer is not None
        frames._timer.cancel()
        pumped_at: list[Location] = []

        def pump(now: float, budget: float) -> Pumped:
            pumped_at.append(on.app.location)
            return Pumped(0, more=False)

        with patch.object(on.session, "pump", pump):
            frames._is_due = True
            on.burst("4", "3")
            await on.until(lambda: on.app.location == Location("workers"))
        assert pumped_at[:1] == [Location("tasks")]


async def test_notifications_cover_neither_the_cursor_nor_the_footer() -> None:
    app, session = make_app(ClusterState())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        on = AppUnderTest(app, session, pilot)
        await go(on, Location("tasks"))
        arrive(on, 0, 40)
        for motion in ("top", "bottom"):
            on.table.action_move(motion)
            for _ in range(3):
                app.say("Copied")

            def lie_elsewhere() -> bool:
                app.frame_loop.paint()
                toasts = on.screen.query("Toast")
                covered = {y for toast in toasts for y in toast.region.line_range}
                return bool(covered) and not covered & {on.table.cursor_line, 0, 23}

            await on.until(lie_elsewhere)


async def test_nothing_is_painted_while_the_app_removes_its_widgets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as a frame that is due between the removal of a page's body and of its screen."""
    painted = []
    async with run_app(ClusterState(), Location("tasks", (PAGES["failures"],))) as on:
        screen, close_all = on.app.monitor_screen, on.app._close_all
        assert screen is not None

        async def close_with_a_frame() -> None:
            await screen.query_one("#body").remove()
            on.app.frame_loop.paint()
            painted.append(screen)
            await close_all()

        monkeypatch.setattr(on.app, "_close_all", close_with_a_frame)
    assert painted
