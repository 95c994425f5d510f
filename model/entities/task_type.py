"""What is known of all tasks of one name."""

from __future__ import annotations

from typing import Final

import msgspec

from .distribution import Distribution

MAX_EXCEPTION_CLASSES: Final = 50
"""How many exception classes are counted by name; further ones count as `other`."""


class TaskType(msgspec.Struct, eq=False):
    """One task name; the counts of `states` are of held tasks, the totals of all that was heard."""

    name: str
    version: int = 0
    states: dict[str, int] = {}
    """Held tasks by state; no zeros."""
    received: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0
    revoked: int = 0
    last_at: float | None = None
    """When anything was last heard of one of its tasks, by our clock."""
    runtime: Distribution = msgspec.field(default_factory=Distribution)
    wait: Distribution = msgspec.field(default_factory=Distribution)
    """From when a task could have started to when it did."""
    exceptions: dict[str, int] = {}
    """How often which exception class ended an attempt."""

    @property
    def id(self) -> str:
        """The name: what tables know a row by."""
        return self.name

    @property
    def held(self) -> int:
        """How many of its tasks the model holds."""
        return sum(self.states.values())

    @property
    def failure_rate(self) -> float | None:
        """The share of its finished tasks that failed, 0 to 1; None before the first."""
        ended = self.succeeded + self.failed
        return self.failed / ended if ended else None

    def count_exception(self, exception: str | None) -> None:
        """Count an exception by its class: the repr's text before the first parenthesis."""
        if not exception:
            return
        label = exception.partition("(")[0].strip()[:120] or "?"
        if label not in self.exceptions and len(self.exceptions) >= MAX_EXCEPTION_CLASSES:
            label = "other"
        self.exceptions[label] = self.exceptions.get(label, 0) + 1
