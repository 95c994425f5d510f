"""What can be done to a cluster: one value for each kind of act, with its targets frozen in it.

Only `cluster/control.py` carries them out. `workers` are the names of those that are addressed and
expected to answer, `()` where nobody is known; never "whoever is there when it is sent".
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

from .call import Call, SentTask

Signal: TypeAlias = Literal["SIGTERM", "SIGKILL", "SIGQUIT", "SIGUSR1"]

SIGNALS: Final[dict[Signal, str]] = {
    "SIGTERM": "raise SystemExit in the task, whose finally blocks run; its process ends",
    "SIGKILL": "end the pool process, whatever it does",
    "SIGQUIT": "as SIGTERM, which some apps keep for themselves",
    "SIGUSR1": "raise SoftTimeLimitExceeded in the task, which may clean up",
}
"""What `terminate` can send to a pool process of prefork; other pools know no signals. SIGINT is
not among them: the process ignores it, and the worker calls revoked what runs on."""


class Operation(msgspec.Struct, frozen=True, tag=True, gc=False, kw_only=True):
    """Anything that changes a cluster, or asks it something that only people ask."""


class Revoke(Operation, frozen=True):
    """Have workers skip tasks that have not started; with `terminate`, end those that run."""

    ids: tuple[str, ...]
    workers: tuple[str, ...]
    """Whose answers are awaited; all workers hear it, whether known or not."""
    terminate: bool = False
    signal: Signal = "SIGTERM"


class RevokeStamped(Operation, frozen=True):
    """Revoke whatever carries a stamp: a header that the application put on its tasks."""

    header: str
    values: tuple[str, ...]
    workers: tuple[str, ...]
    terminate: bool = False
    signal: Signal = "SIGTERM"


class Retry(Operation, frozen=True):
    """Send tasks again as their callers sent them, each under a new id."""

    originals: tuple[SentTask, ...]
    with_links: bool = False
    """Whether callbacks and the rest of a chain go along; a chord is never joined again."""


class Trigger(Operation, frozen=True):
    """Send new tasks."""

    calls: tuple[Call, ...]


class ToWorkers(Operation, frozen=True):
    """A remote-control command to workers by name."""

    workers: tuple[str, ...]


class PoolGrow(ToWorkers, frozen=True):
    """Add processes or threads to pools."""

    by: int = 1


class PoolShrink(ToWorkers, frozen=True):
    """Take processes or threads from pools."""

    by: int = 1


class PoolRestart(ToWorkers, frozen=True):
    """Restart pools; needs `worker_pool_restarts` in the workers' configuration."""


class Autoscale(ToWorkers, frozen=True):
    """Set the limits of pools that were started with `--autoscale`."""

    most: int
    least: int


class AddConsumer(ToWorkers, frozen=True):
    """Have workers consume a queue."""

    queue: str
    exchange: str | None = None
    """None is an exchange named like the queue."""
    exchange_type: str | None = None
    """None is `direct`."""
    routing_key: str | None = None
    """None is the queue's name."""


class CancelConsumer(ToWorkers, frozen=True):
    """Have workers consume a queue no more."""

    queue: str


class RateLimit(ToWorkers, frozen=True):
    """Limit how often a worker starts tasks of a type, until it restarts."""

    task: str
    rate: str
    """As `10/m`, `5/s`, `100/h`; `0` is no limit."""


class TimeLimit(ToWorkers, frozen=True):
    """Limit how long tasks of a type may run, until the worker restarts.

    Both limits are set together: the worker takes one that is not given for "none".
    """

    task: str
    soft: float | None
    """Seconds until SoftTimeLimitExceeded is raised in the task; None is no limit."""
    hard: float | None
    """Seconds until its process is killed; None is no limit."""


class Ping(ToWorkers, frozen=True):
    """Ask workers whether they are there."""


class Heartbeat(ToWorkers, frozen=True):
    """Have workers send a heartbeat event now; they do not answer."""


class EnableEvents(ToWorkers, frozen=True):
    """Have workers send task events."""


class DisableEvents(ToWorkers, frozen=True):
    """Have workers send no task events; celtop and every other monitor go blind."""


class Shutdown(ToWorkers, frozen=True):
    """End workers warmly: what they run ends first, what they hold goes back.

    They do not answer; that they say good-bye confirms it.
    """


class Drain(ToWorkers, frozen=True):
    """Take no new tasks, wait until nothing runs any more, then shut down.

    It can be undone until then.
    """


class Consumer(msgspec.Struct, frozen=True, gc=False):
    """How one worker consumes a queue."""

    worker: str
    exchange: str | None = None
    exchange_type: str | None = None
    routing_key: str | None = None
    options: dict[str, Any] = {}
    """What else Celery's `add_consumer` takes: `queue_arguments`, `max_priority`, ..."""


class PauseQueue(Operation, frozen=True):
    """Have all who consume a queue stop, and remember exactly who and how."""

    queue: str
    consumers: tuple[Consumer, ...]


class ResumeQueue(Operation, frozen=True):
    """Have those who consumed a paused queue consume it again, as they did."""

    queue: str
    consumers: tuple[Consumer, ...]
    forget: bool = False
    """Whether those that do not answer are forgotten: they are gone for good."""


class Purge(Operation, frozen=True):
    """Delete the messages that wait in a queue; they cannot be had back."""

    queue: str
    task: str | None = None
    """Only the messages of this task name; where the broker lets one look (Redis)."""


AnyWorkerOperation: TypeAlias = (
    PoolGrow
    | PoolShrink
    | PoolRestart
    | Autoscale
    | AddConsumer
    | CancelConsumer
    | RateLimit
    | TimeLimit
    | Ping
    | Heartbeat
    | EnableEvents
    | DisableEvents
    | Shutdown
    | Drain
)
AnyOperation: TypeAlias = (
    Revoke | RevokeStamped | Retry | Trigger | AnyWorkerOperation | PauseQueue | ResumeQueue | Purge
)
