"""`confirm` with the confirmations of all operations, which register when they are imported."""

from __future__ import annotations

from . import pools, queues, results, schedule, sending, tasks, workers
from .confirmation import Confirmation, confirm

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
