"""`confirm` with the confirmations of all operations, which register when they are imported."""

from __future__ import annotations

import msgspec

from ..operations.commands import Operation, WorkerOperation
from ..state import ClusterState
from ..text.phrases import verb
from . import confirmation, pools, queues, results, schedule, sending, tasks, workers
from .confirmation import Confirmation

__all__ = [
    "Confirmation",
    "confirm",
    "pools",
    "queues",
    "results",
    "schedule",
    "sending",
    "tasks",
    "workers",
]


def confirm(operation: Operation, state: ClusterState, now: float) -> Confirmation:
    """Return the confirmation of an operation, with a warning if its workers are offline.

    `now` is our clock, in epoch seconds.
    """
    found = confirmation.confirm(operation, state, now)
    if not isinstance(operation, WorkerOperation) or operation.read_only:
        return found
    listening = state.broker.listening(now)
    known = (state.workers.get(name) for name in found.expected_workers)
    gone = [one.name for one in known if one is not None and one.status(listening) == "offline"]
    if not gone:
        return found
    warning = f"{verb(gone, 'is', 'are')} offline; no reply is expected"
    return msgspec.structs.replace(found, warnings=(warning, *found.warnings))
