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
    """Return the confirmation of an operation, with warnings about workers offline or of one name.

    `now` is our clock, in epoch seconds.
    """
    found = confirmation.confirm(operation, state, now)
    if not isinstance(operation, WorkerOperation) or operation.read_only:
        return found
    named_workers = (state.workers.get(name) for name in found.expected_workers)
    known = [worker for worker in named_workers if worker is not None]
    listening = state.broker.listening(now)
    warnings = []
    if gone := [one.name for one in known if one.status(listening) == "offline"]:
        warnings.append(f"{verb(gone, 'is', 'are')} offline; no reply is expected")
    if shared := [one.name for one in known if one.shares_name]:
        names = verb(shared, "is the name", "are the names")
        warnings.append(f"{names} of several workers; all of them receive the command")
    if not warnings:
        return found
    return msgspec.structs.replace(found, warnings=(*warnings, *found.warnings))
