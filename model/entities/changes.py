"""The changes that views apply."""

from __future__ import annotations

import msgspec

from .task import Task


class Changes(msgspec.Struct, frozen=True):
    """Everything that changed since the previous call of `ClusterState.take_changes`."""

    tasks: dict[str, Task]
    """New or changed tasks by id."""
    evicted: list[Task]
    """Evicted tasks, if an earlier call returned them."""
    other: bool
    """Whether anything else changed: workers, queues, types, log, broker, totals."""
