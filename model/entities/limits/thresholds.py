"""The limits from which something needs attention: `[findings]` in the config file."""

from __future__ import annotations

import msgspec


class Thresholds(msgspec.Struct, frozen=True):
    """The limits of the findings; each is named after the code of its finding."""

    redis_memory: float = 0.9
    """The part of `maxmemory` that Redis uses, from 0 to 1."""
    queue_stalled: float = 60.0
    """Seconds for which consumers took no message from a queue although they had free processes."""
    queue_full: float = 120.0
    """Seconds for which all processes of a queue's consumers were busy while the queue grew."""
    queue_growing: float = 300.0
    """Seconds for which more tasks arrived in a queue than its consumers took."""
    tasks_expired: float = 0.05
    """The part of the tasks that expire before they start, from 0 to 1."""
    task_stuck: float = 60.0
    """Seconds that a task runs at least before it may be stuck, and without reporting progress."""
    task_stuck_ratio: float = 3.0
    """How many times as long as the longest earlier run of its type."""
    task_stuck_unknown: float = 3_600.0
    """Seconds that a task runs at least if neither earlier runs of its type nor a time limit are
    known."""
    type_slow: float = 0.5
    """Seconds by which the run times of a task type are longer than before."""
    type_slow_ratio: float = 2.0
    """How many times as long they are as before."""
    type_failing: float = 0.05
    """The part of the tasks of a type that fails, from 0 to 1."""
    type_failing_ratio: float = 2.0
    """How many times as large it is as before."""
