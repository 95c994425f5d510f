"""Rate and time limits of task types as text."""

from __future__ import annotations

from typing import Final

from ..model.entities.worker import UNLIMITED, Limits
from ..model.state import ClusterState
from ..model.text import units

VARIES: Final = "varies"


def limits_text(limits: Limits | None) -> str:
    """Return limits as `10/m, soft 30 s, hard 1 m`, `no limits`, or `?` if they are unknown."""
    if limits is None:
        return units.UNKNOWN
    words = [limits.rate] if limits.rate else []
    if limits.soft is not None:
        words.append(f"soft {units.duration(limits.soft)}")
    if limits.hard is not None:
        words.append(f"hard {units.duration(limits.hard)}")
    return ", ".join(words) or "no limits"


def common_limits(state: ClusterState, task: str) -> str:
    """Return a task type's limits if all its workers agree; empty if no worker has a limit."""
    found = {
        worker.limits.get(task, UNLIMITED)
        for worker in state.workers.values()
        if worker.left_at is None and worker.registered is not None and task in worker.registered
    }
    if found <= {UNLIMITED}:
        return ""
    return limits_text(found.pop()) if len(found) == 1 else VARIES
