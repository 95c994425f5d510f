"""The operations on a cluster: one class for each, with its targets frozen in it.

Arguments of remote-control commands are those of `celery/worker/control.py`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, TypeAlias

import msgspec

from ..text.phrases import counted
from .call import Call, SentTask
from .operation import Operation as Operation
from .operation import Words

Signal: TypeAlias = Literal["SIGTERM", "SIGKILL", "SIGQUIT", "SIGUSR1"]

SIGNALS: Final[dict[Signal, str]] = {
    "SIGTERM": "SystemExit is raised in the task; finally blocks run",
    "SIGKILL": "the process is killed immediately",
    "SIGQUIT": "like SIGTERM; some apps handle it themselves",
    "SIGUSR1": "SoftTimeLimitExceeded is raised in the task",
}
"""The signals that `terminate` can send to a prefork pool process; other pools have no processes.
SIGINT is not among them: the process ignores it, and the worker reports a task as revoked that is
still running."""

RESULT_BACKEND: Final = "result backend"
"""The target of operations on the result backend."""

MAX_REVOKED_IDS: Final = 50_000
"""Revoked ids that a worker keeps (`CELERY_WORKER_REVOKES_MAX`); it drops the oldest first."""


class Revoke(Operation, frozen=True):
    """Make workers skip tasks that have not started; with `terminate`, end running ones too."""

    ids: tuple[str, ...]
    workers: tuple[str, ...]
    """The workers whose replies are awaited; the command is sent to all workers."""
    terminate: bool = False
    signal: Signal = "SIGTERM"
    words = Words("Revoked", "Revoking", "Revoke", "{tasks}")

    @property
    def targets(self) -> tuple[str, ...]:
        """The ids of the tasks."""
        return self.ids

    def phrase(self) -> Words:
        """Return its words: tasks are revoked or terminated."""
        return self.filled(terminating(self.words) if self.terminate else self.words)


class RevokeStamped(Operation, frozen=True):
    """Revoke every task with a stamp: a header that the application set on its tasks."""

    header: str
    values: tuple[str, ...]
    workers: tuple[str, ...]
    terminate: bool = False
    signal: Signal = "SIGTERM"
    words = Words("Revoked", "Revoking", "Revoke", "tasks stamped {targets}")

    @property
    def targets(self) -> tuple[str, ...]:
        """The stamps, as `header=value`."""
        return tuple(f"{self.header}={value}" for value in self.values)

    def phrase(self) -> Words:
        """Return its words: tasks are revoked or terminated."""
        return self.filled(terminating(self.words) if self.terminate else self.words)


def terminating(words: Words) -> Words:
    """Return the words of revoking for tasks that are terminated."""
    return Words("Terminated", "Terminating", "Terminate", words.object)


class Retry(Operation, frozen=True):
    """Send tasks again as their callers sent them, each under a new id."""

    originals: tuple[SentTask, ...]
    with_links: bool = False
    """Whether callbacks and the rest of a chain are sent too; a chord is never rejoined."""
    words = Words("Retried", "Retrying", "Retry", "{tasks}")

    @property
    def targets(self) -> tuple[str, ...]:
        """The ids of the original tasks."""
        return tuple(original.id for original in self.originals)


class Trigger(Operation, frozen=True):
    """Send new tasks."""

    calls: tuple[Call, ...]
    words = Words("Sent", "Sending", "Send", "{0.what}")

    @property
    def what(self) -> str:
        """The name of a single task, or how many there are."""
        return self.calls[0].name if len(self.calls) == 1 else counted(len(self.calls), "task")


class WorkerOperation(Operation, frozen=True):
    """A remote-control command to workers by name."""

    workers: tuple[str, ...]
    parameters: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Each argument of the command with the field that has its value."""
    replies: ClassVar[bool] = True
    """Whether workers reply to it."""
    inspected_by: ClassVar[str | None] = None
    """The inspect command whose replies show its effect."""

    @property
    def command(self) -> str:
        """The name of the remote-control command in Celery, which the class is named after."""
        return self.name.replace("-", "_")

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the remote-control command."""
        return {name: getattr(self, field) for name, field in self.parameters}


class PoolOperation(WorkerOperation, frozen=True):
    """A change of workers' pools."""

    inspected_by = "stats"
    refresh_after = True


class PoolGrow(PoolOperation, frozen=True):
    """Add processes or threads to pools."""

    by: int = 1
    words = Words("Grew", "Growing", "Grow", "{pools} by {0.by:,}")
    parameters = (("n", "by"),)


class PoolShrink(PoolOperation, frozen=True):
    """Remove processes or threads from pools."""

    by: int = 1
    words = Words("Shrank", "Shrinking", "Shrink", "{pools} by {0.by:,}")
    parameters = (("n", "by"),)


class PoolRestart(PoolOperation, frozen=True):
    """Restart pools; needs `worker_pool_restarts` in the workers' configuration."""

    words = Words("Restarted", "Restarting", "Restart", "{pools}")


class Autoscale(PoolOperation, frozen=True):
    """Set the limits of pools that were started with `--autoscale`."""

    most: int
    least: int
    words = Words(
        "Autoscaled", "Autoscaling", "Autoscale", "{pools} from {0.least:,} to {0.most:,}"
    )
    parameters = (("max", "most"), ("min", "least"))


class AddConsumer(WorkerOperation, frozen=True):
    """Make workers consume a queue."""

    queue: str
    exchange: str | None = None
    """None: an exchange with the queue's name."""
    exchange_type: str | None = None
    """None: `direct`."""
    routing_key: str | None = None
    """None: the queue's name."""
    words = Words("Started", "Starting", "Start", "consuming {0.queue} on {workers}")
    # `cluster/operations/workers/declare.py` adds how the queue is declared on the broker.
    parameters = tuple(
        (name, name) for name in ("queue", "exchange", "exchange_type", "routing_key")
    )
    inspected_by = "active_queues"
    refresh_after = True


class CancelConsumer(WorkerOperation, frozen=True):
    """Stop workers from consuming a queue."""

    queue: str
    words = Words("Stopped", "Stopping", "Stop", "consuming {0.queue} on {workers}")
    parameters = (("queue", "queue"),)
    inspected_by = "active_queues"
    refresh_after = True


class RateLimit(WorkerOperation, frozen=True):
    """Limit how often each worker starts tasks of a type, until it restarts."""

    task: str
    rate: str
    """As `10/m`, `5/s`, `100/h`; `0` removes the limit."""
    words = Words("Limited", "Limiting", "Limit", "{0.task} to {0.rate} on {workers}")
    parameters = (("task_name", "task"), ("rate_limit", "rate"))
    inspected_by = "registered"

    def phrase(self) -> Words:
        """Return its words: a limit is set or removed."""
        if self.rate.partition("/")[0].strip("0."):
            return super().phrase()
        what = "the rate limit of {0.task} on {workers}"
        return self.filled(Words("Removed", "Removing", "Remove", what))


class TimeLimit(WorkerOperation, frozen=True):
    """Limit how long tasks of a type may run, until the worker restarts.

    Both limits are set together: a worker removes a limit that is not given.
    """

    task: str
    soft: float | None
    """Seconds until SoftTimeLimitExceeded is raised in the task; None is no limit."""
    hard: float | None
    """Seconds until its process is killed; None is no limit."""
    words = Words("Set", "Setting", "Set", "the time limits of {0.task} to {0.limits} on {workers}")
    parameters = (("task_name", "task"), ("soft", "soft"), ("hard", "hard"))
    inspected_by = "registered"

    @property
    def limits(self) -> str:
        """Both limits: `soft 30 s, hard none`."""
        soft, hard = (
            "none" if limit is None else f"{limit:g} s" for limit in (self.soft, self.hard)
        )
        return f"soft {soft}, hard {hard}"


class Ping(WorkerOperation, frozen=True):
    """Check that workers reply."""

    words = Words("Pinged", "Pinging", "Ping")
    read_only = True


class Report(WorkerOperation, frozen=True):
    """Read workers' bug reports: platform, library versions and settings."""

    words = Words("Read", "Reading", "Read", "the report of {workers}")
    read_only = True


class Memdump(WorkerOperation, frozen=True):
    """Read workers' memory use; Celery needs psutil for it."""

    words = Words("Read", "Reading", "Read", "the memory use of {workers}")
    read_only = True


class Heartbeat(WorkerOperation, frozen=True):
    """Make workers send a heartbeat event now; they send no reply."""

    words = Words("Requested", "Requesting", "Request", "a heartbeat from {workers}")
    replies = False


class EnableEvents(WorkerOperation, frozen=True):
    """Make workers send task events."""

    words = Words("Enabled", "Enabling", "Enable", "task events on {workers}")


class DisableEvents(WorkerOperation, frozen=True):
    """Stop workers from sending task events; no monitor receives any then."""

    words = Words("Disabled", "Disabling", "Disable", "task events on {workers}")


class Shutdown(WorkerOperation, frozen=True):
    """Warm shutdown: workers finish running tasks, return reserved ones, then exit.

    They send no reply; their worker-offline event confirms it.
    """

    words = Words("Shut down", "Shutting down", "Shut down")
    replies = False


class Drain(WorkerOperation, frozen=True):
    """Stop consuming, wait until no task is running, then shut down.

    It can be undone until the shutdown.
    """

    words = Words("Drained", "Draining", "Drain")


class Consumer(msgspec.Struct, frozen=True, gc=False):
    """How one worker consumes a queue."""

    worker: str
    exchange: str | None = None
    exchange_type: str | None = None
    routing_key: str | None = None
    options: dict[str, Any] = {}
    """Further arguments of Celery's `add_consumer`: `queue_arguments`, `max_priority`, ..."""


class QueueOperation(Operation, frozen=True):
    """An operation on one queue."""

    queue: str
    consumers: tuple[Consumer, ...] = ()
    """The workers concerned, and how each consumes the queue."""
    refresh_after = True

    @property
    def expected_workers(self) -> tuple[str, ...]:
        """The workers that are expected to reply."""
        return tuple(dict.fromkeys(one.worker for one in self.consumers))

    @property
    def targets(self) -> tuple[str, ...]:
        """The queue."""
        return (self.queue,)


class PauseQueue(QueueOperation, frozen=True):
    """Cancel all consumers of a queue, and remember them and how they consumed it."""

    words = Words("Paused", "Pausing", "Pause", "queue {0.queue}")


class ResumeQueue(QueueOperation, frozen=True):
    """Resume a paused queue with its previous consumers."""

    forget: bool = False
    """Whether consumers that do not reply are forgotten."""
    words = Words("Resumed", "Resuming", "Resume", "queue {0.queue}")


class Purge(Operation, frozen=True):
    """Delete the messages waiting in a queue; this cannot be undone."""

    queue: str
    task: str | None = None
    """Only the messages of this task name; on Redis only."""
    ids: tuple[str, ...] | None = None
    """Only the messages of these tasks; on Redis only."""
    words = Words("Purged", "Purging", "Purge", "{0.what}")
    refresh_after = True

    @property
    def what(self) -> str:
        """Which messages."""
        if self.ids is not None:
            return f"{counted(len(self.ids), 'message')} from {self.queue}"
        return f"queue {self.queue}" if self.task is None else f"{self.task} from {self.queue}"

    @property
    def targets(self) -> tuple[str, ...]:
        """The queue."""
        return (self.queue,)


class ReadMessages(Operation, frozen=True):
    """Read the next messages of a queue on RabbitMQ, which marks them as redelivered."""

    queue: str
    count: int
    words = Words("Read", "Reading", "Read", "messages of {0.queue}")

    @property
    def targets(self) -> tuple[str, ...]:
        """The queue."""
        return (self.queue,)


class PurgeResults(Operation, frozen=True):
    """Delete the results in the result backend that match a filter; this cannot be undone."""

    filter: str
    at: float
    """When the results were counted, in epoch seconds: durations in the filter count from then, and
    results of tasks that end later are kept."""
    utc: bool = False
    """Whether times in the filter are in UTC instead of local time."""
    count: int | None = None
    """How many results matched then; None if unknown."""
    note: str = ""
    """The parts that were not searched, and why."""
    examples: tuple[str, ...] = ()
    """The newest matching results, one line each."""
    words = Words("Deleted", "Deleting", "Delete", "{0.what}")

    @property
    def what(self) -> str:
        """Which results."""
        number = counted(self.count, "result") if self.count else "results"
        return f"{number} matching {self.filter}"

    @property
    def targets(self) -> tuple[str, ...]:
        """The result backend."""
        return (RESULT_BACKEND,)
