"""The chart on the Overview for lines that no list needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from celtop.model.entities.series.time_series import STEP
from celtop.model.observations import QueueMeasured
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tui.navigation import Location

WORKER = "celery@web-1"
BEGAN = NOW - 10 * STEP


def quick() -> ClusterState:
    """A cluster whose tasks run between two steps of the charts."""
    state = ClusterState()
    state.observe(QueueMeasured("celery", BEGAN, waiting=0))
    feed(state, [Event("worker-online", WORKER, BEGAN, pid=7, freq=2.0)])
    for step in range(10):
        at = BEGAN + step * STEP
        feed(state, task_events(step, "mail.send", at=at + 1, runtime=0.5))
        feed(state, [Event("worker-heartbeat", WORKER, at + 2, freq=2.0, active=0, processed=step)])
        state.tick(at + STEP)
    return state


def busy() -> ClusterState:
    """The same with a task that runs on."""
    state = quick()
    feed(state, task_events(99, "mail.send", at=NOW - STEP, end=None))
    state.tick(NOW + STEP)
    return state


def waiting() -> ClusterState:
    """The same with messages in a queue."""
    state = busy()
    state.observe(QueueMeasured("celery", NOW + STEP, waiting=40))
    state.tick(NOW + 2 * STEP)
    return state


@pytest.mark.parametrize(
    ("state", "title"),
    [(waiting, "Waiting by queue"), (busy, "Busy slots"), (quick, "Run time, p95")],
)
async def test_the_chart_is_one_that_is_not_zero_all_the_time(
    state: Callable[[], ClusterState], title: str
) -> None:
    async with run_app(state(), Location("overview"), size=(120, 50)) as on:
        await on.until(lambda: title in on.text)


async def test_of_a_cluster_without_tasks_it_is_that_of_its_slots() -> None:
    state = ClusterState()
    state.observe(QueueMeasured("celery", BEGAN, waiting=0))
    feed(state, [Event("worker-online", WORKER, BEGAN, pid=7, freq=2.0)])
    async with run_app(state, Location("overview"), size=(120, 50)) as on:
        await on.until(lambda: "Busy slots" in on.text)
