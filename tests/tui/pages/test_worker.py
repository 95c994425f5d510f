"""The page of a worker: how old its values are."""

from __future__ import annotations

import pytest
from celtop.model.entities.fault import NO_REPLY
from celtop.model.observations import QuestionsFailed
from celtop.model.text import units
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed
from celtop.tui.navigation import DrillDown, Location

NAME = "celery@web-1"
PAGE = Location("workers", (DrillDown("worker", NAME, NAME),))


async def test_of_an_offline_worker_it_states_when_its_values_were_true() -> None:
    state = cluster(20)
    feed(state, [Event("worker-offline", NAME, NOW, pid=4001)])
    state.observe(QuestionsFailed("worker", ("active_queues",), NOW - 5, NO_REPLY, (NAME,)))
    seen = state.workers[NAME].last_seen_at
    async with run_app(state, PAGE, size=(120, 36)) as on:
        await on.until(lambda: "offline" in on.text)
        assert f"values as of {units.clock(seen)}" in on.text
        assert "no reply" not in on.text.splitlines()[1]


async def test_of_a_worker_that_was_seen_on_another_day_it_states_the_date() -> None:
    state = cluster(20)
    feed(state, [Event("worker-offline", NAME, NOW, pid=4001)])
    seen = state.workers[NAME].last_seen_at = NOW - 3 * 86_400
    async with run_app(state, PAGE, size=(120, 36)) as on:
        await on.until(lambda: f"values as of {units.date_time(seen)[5:16]}" in on.text)


async def test_of_an_online_worker_it_states_when_it_was_inspected_or_why_not() -> None:
    state = cluster(20)
    async with run_app(state, PAGE, size=(120, 36)) as on:
        await on.until(lambda: "inspected 10 m ago" in on.text)
        on.session.put(QuestionsFailed("worker", ("active",), NOW, NO_REPLY, (NAME,)))
        await on.until(lambda: "inspect active failed: no reply" in on.text.splitlines()[1])


@pytest.mark.parametrize("size", [(240, 60), (120, 36), (80, 24), (60, 15)])
async def test_what_is_wrong_with_a_worker_is_at_the_top_of_its_page(size: tuple[int, int]) -> None:
    lost = Location("workers", (DrillDown("worker", "celery@geo-2"),))
    async with run_app(cluster(20), lost, size=size) as on:
        await on.until(lambda: "lost 10 m ago" in on.text)
        screen = on.screen
        assert screen.findings.region.y == (2 if size[1] >= 20 else 1)
        assert screen.findings.region.height == len(screen.findings.alerts) + 2
        assert screen.focused is not screen.findings.table
        screen.set_focus(screen.findings.table)
        await on.press("enter")
        assert on.app.screen is screen, "the page is what it would open"


async def test_the_page_of_a_worker_without_findings_has_no_pane_for_them() -> None:
    async with run_app(cluster(20), PAGE, size=(120, 36)) as on:
        await on.until(lambda: "inspected" in on.text)
        assert "Attention" not in on.text and not on.screen.findings.is_attached
