"""The header gives the windows of time that memory covers."""

from __future__ import annotations

from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tui.navigation import Location


def full() -> ClusterState:
    """Return a model from which plain successes were evicted, but no failure."""
    state = ClusterState(max_tasks=100)
    feed(state, task_events(1, "shop.fail", end="failed", exception="Oops()", at=NOW - 4_000))
    for number in range(2, 250):
        feed(state, task_events(number, "shop.bill", at=NOW - 250 + number))
    state.totals.first_event_at = NOW - 4_000
    return state


async def test_the_header_gives_the_windows_if_there_is_room() -> None:
    async with run_app(full(), Location("workers"), size=(200, 24)) as on:
        assert "failures since 06:53 · successes last " in on.text.splitlines()[0]


async def test_a_narrow_header_leaves_them_to_the_list_of_tasks() -> None:
    async with run_app(full(), Location("tasks"), size=(120, 24)) as on:
        header, info, *_ = on.text.splitlines()
        assert "failures since" not in header
        assert "failures since 06:53 · successes last " in info


async def test_there_are_none_while_all_tasks_are_held() -> None:
    async with run_app(ClusterState(), Location("tasks"), size=(200, 24)) as on:
        assert "successes last" not in on.text
