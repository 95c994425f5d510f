"""The tasks of selected groups of failures, also those that only the history has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from ....model.ingest.tasks.failure_groups import FailureGroup
from ....model.text.phrases import counted
from ...dialogs.waiting import wait_for
from ...host import Host

MAX_TASKS: Final = 10_000
"""Tasks of a group that are read, the latest first."""
LOAD_SECONDS: Final = 3.0
"""Seconds in which the model takes the tasks over that were read."""
LOAD_CHECK: Final = 0.05
"""Seconds between two looks."""


def stored_groups(host: Host) -> list[FailureGroup]:
    """Return the selected groups of failures, unless all their tasks are in memory."""
    groups = host.selection(FailureGroup)
    return groups if any(one.count > len(one.tasks) for one in groups) else []


async def ids_of_groups(host: Host, groups: Sequence[FailureGroup]) -> tuple[list[str], int] | None:
    """Read the tasks of groups in their windows of the history into the model.

    Returns:
        Their ids, the latest first, and how many older ones are left out; None if it was cancelled.
    """
    from ....history.reading.failure_groups import StoredGroup

    context = host.context
    history = context.session.history.stored
    if history is None:
        return [], 0
    end = context.now() + 1.0
    found: dict[str, None] = {}
    left_out = 0
    for group in groups:
        # One in memory has no window; another one that is selected covers the charts.
        start = end - 1.0 - context.chart_seconds
        window = (group.start, group.end) if isinstance(group, StoredGroup) else (start, end)
        read = history.failed(group.id, *window, MAX_TASKS)
        ids = await wait_for(host, f"Reading {counted(group.count, 'task')} of the history", read)
        if ids is None:
            return None
        left_out += max(0, group.count - len(ids)) if len(ids) >= MAX_TASKS else 0
        found |= dict.fromkeys((*ids, *group.tasks))
    deadline, held = time.monotonic() + LOAD_SECONDS, context.live.tasks
    while any(id_ not in held for id_ in found) and time.monotonic() < deadline:
        await asyncio.sleep(LOAD_CHECK)
    return list(found), left_out
