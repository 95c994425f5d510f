"""The loop keeps the model and the screen up to date."""

from __future__ import annotations

from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tui.navigation import DrillDown, Location


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
