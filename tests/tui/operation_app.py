"""An app over a cluster with waiting tasks, to run operations on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.navigation import DrillDown, Location

WAITING = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(500, 504)]
DONE = "00000005-0000-4000-8000-000000000005"
RUNNING = f"{9003:08x}-0000-4000-8000-{9003:012x}"

PLACES = [
    *(Location(view) for view in ("overview", "tasks", "workers", "queues", "types", "scheduled")),
    Location("log"),
    Location("tasks", (DrillDown("task", WAITING[0]),)),
    Location("workers", (DrillDown("worker", "celery@web-1"),)),
]


def waiting_cluster() -> ClusterState:
    """The small cluster with four more waiting tasks."""
    state = cluster(20)
    for number in range(500, 504):
        feed(state, task_events(number, "mail.send", end="received", at=NOW - 1))
    return state


@asynccontextmanager
async def opened(
    location: Location | None = None, size: tuple[int, int] = (120, 36), **settings: Any
) -> AsyncIterator[AppUnderTest]:
    """Run the app on the list of tasks, or elsewhere."""
    async with run_app(waiting_cluster(), location or Location("tasks"), size, **settings) as on:
        yield on
