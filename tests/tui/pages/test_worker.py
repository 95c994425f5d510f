"""The page of a worker: how old its values are."""

from __future__ import annotations

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
