"""The age of what is known about the queues, if it is older than promised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model.entities.messages.delayed import times_text
from ...model.entities.queue import Queue
from ...model.ingest.queues.delayed_messages import DelayedMessages
from ...model.state import ClusterState
from ...model.text import units

GRACE: Final = 2.0
"""Seconds that a measurement may be late before its age is shown."""
CONSUMERS_PROMISED: Final = 20.0
"""Seconds after which the age of the consumers is shown."""


def depths_age(state: ClusterState, interval: float, now: float) -> str:
    """Return `measured 23 s ago`; empty if all queues were measured within `interval` seconds."""
    times = [queue.measured_at for queue in state.queues.values() if queue.measured_at is not None]
    if not times or now - min(times) <= interval + GRACE:
        return ""
    return f"measured {units.duration(int(now - min(times)))} ago"


def delayed_text(delayed: DelayedMessages, now: float) -> str:
    """Return `3 waiting for their time: in 20 s, in 45 s, in 2 m`; empty if there are none."""
    due = delayed.due_times(now)
    if not due:
        return ""
    messages = sum(one.messages for one in due)
    return f"{units.count(messages)} waiting for their time: {times_text(due, now)}"


def common_note(queues: Sequence[Queue]) -> str:
    """Return the note that all queues share; empty if there is none."""
    texts = {queue.notes for queue in queues}
    return "; ".join(reversed(queues[0].notes)) if len(texts) == 1 else ""


def consumers_age(state: ClusterState, now: float) -> str:
    """Return `consumers checked 40 s ago`; empty if they are recent enough, or unknown."""
    ages = [queue.fact("consumers").age(now) for queue in state.queues.values()]
    oldest = max((age for age in ages if age is not None), default=0.0)
    if oldest <= CONSUMERS_PROMISED:
        return ""
    return f"consumers checked {units.duration(int(oldest))} ago"
