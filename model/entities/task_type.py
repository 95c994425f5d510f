"""A task type: all tasks of one name."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from ..text.traceback import exception_class
from .series.distribution import Distribution
from .states import FAILURE, RETRY, REVOKED, SUCCESS, TaskState
from .task import EventState, Task

MAX_EXCEPTION_CLASSES: Final = 50
"""Exception classes counted by name; further ones count as `other`."""


RuntimeMeasure: TypeAlias = Literal["runtime_p50", "runtime_p95"]


class Slowdown(msgspec.Struct, frozen=True, gc=False):
    """Run times of a task type that are much longer than before, in seconds."""

    measure: RuntimeMeasure
    runtime: float
    """The measure of the last minutes."""
    runtime_before: float
    since: float
    """Epoch seconds."""


class TaskType(msgspec.Struct, eq=False):
    """One task name; `states` counts held tasks, the totals count all events received."""

    name: str
    version: int = 0
    states: dict[str, int] = {}
    """Held tasks by state; no zeros."""
    lost: dict[str, int] = {}
    """Those of them that are lost, by the state that was reported last; no zeros."""
    is_recorded: bool = False
    """Whether it is from the history, which has no tasks that have not finished."""
    received: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0
    revoked: int = 0
    acks_late: bool | None = None
    """Whether messages of its running tasks were unacknowledged when last seen; None if unknown."""
    last_at: float | None = None
    """When the last event about one of its tasks was received, by the local clock."""
    runtime: Distribution = msgspec.field(default_factory=Distribution)
    loaded_runtime: Distribution = msgspec.field(default_factory=Distribution)
    """Those of `runtime` that were read from the result backend or the history: of any time."""
    wait: Distribution = msgspec.field(default_factory=Distribution)
    """Seconds between when a task could have started and when it did."""
    slowdown: Slowdown | None = None
    """How it became slow; None if it is as fast as ever."""
    exceptions: dict[str, int] = {}
    """Attempts that ended with an exception, by exception class."""

    @property
    def id(self) -> str:
        """The name: the row's id in tables."""
        return self.name

    @property
    def held(self) -> int:
        """Number of its tasks held in the model."""
        return sum(self.states.values())

    def held_in(self, state: TaskState) -> int:
        """Return the number of its held tasks in a state, without the lost ones."""
        return self.states.get(state, 0) - self.lost.get(state, 0)

    @property
    def failure_rate(self) -> float | None:
        """Share of its finished tasks that failed, 0 to 1; None without finished tasks.

        It covers the held tasks or those whose end an event reported, the larger number of both: no
        event reports the tasks whose results were read, and successes are evicted before failures.
        """
        held_failed = self.states.get(FAILURE, 0)
        held = held_failed + self.states.get(SUCCESS, 0)
        reported = self.succeeded + self.failed
        failed, ended = (held_failed, held) if held > reported else (self.failed, reported)
        return failed / ended if ended else None

    def count_outcome(self, task: Task | EventState, runtime: float | None) -> None:
        """Count how a task ended, or its retry, as the event reported it before its name."""
        if task.state == SUCCESS:
            self.succeeded += 1
            if runtime is not None:
                self.runtime.add(runtime)
        elif task.state == FAILURE:
            self.failed += 1
            self.count_exception(task.exception)
        elif task.state == RETRY:
            self.retried += 1
            self.count_exception(task.exception)
        elif task.state == REVOKED:
            self.revoked += 1

    def count_exception(self, exception: str | None) -> None:
        """Count an exception by its class."""
        if not exception:
            return
        label = exception_class(exception) or "?"
        if label not in self.exceptions and len(self.exceptions) >= MAX_EXCEPTION_CLASSES:
            label = "other"
        self.exceptions[label] = self.exceptions.get(label, 0) + 1
