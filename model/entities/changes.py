"""What has changed in the model since a view last looked."""

from __future__ import annotations

import msgspec

from .task import Task


class Changes(msgspec.Struct, frozen=True):
    """What is different since it was last asked."""

    tasks: dict[str, Task]
    """New or changed, by id."""
    evicted: list[Task]
    """Forgotten; only those that an earlier call told of."""
    other: bool
    """Whether anything else changed: workers, queues, types, log, broker, totals."""
