"""What was counted in all, whatever is still held."""

from __future__ import annotations

import msgspec

from .rates import SecondRing


class Totals(msgspec.Struct, eq=False):
    """Counters since celtop started, and of what is held.

    What became of tasks is counted as events tell it, once each. Ends that only the result backend
    tells of are in `corrections`.
    """

    events: int = 0
    lost: int = 0
    """Events dropped because the model did not keep up."""
    lost_heartbeats: int = 0
    malformed: int = 0
    malformed_reasons: dict[str, int] = {}
    ignored: int = 0
    """Well-formed events of groups that are not Celery's, such as `my-event`."""
    evicted: int = 0
    """Tasks forgotten because the model was full."""
    by_state: dict[str, int] = {}
    """Held tasks by state; no zeros."""
    text_bytes: int = 0
    """What the held tasks' texts take, in bytes."""
    corrections: dict[str, int] = {}
    """How often which kind of belief about a task was corrected (`corrections.Correction`)."""
    sent: int = 0
    received: int = 0
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0
    revoked: int = 0
    rejected: int = 0

    @property
    def corrected(self) -> int:
        """How many beliefs about tasks turned out wrong."""
        return sum(self.corrections.values())


class Rates(msgspec.Struct, eq=False):
    """The same, by the second."""

    events: SecondRing = msgspec.field(default_factory=SecondRing)
    received: SecondRing = msgspec.field(default_factory=SecondRing)
    succeeded: SecondRing = msgspec.field(default_factory=SecondRing)
    failed: SecondRing = msgspec.field(default_factory=SecondRing)
    retried: SecondRing = msgspec.field(default_factory=SecondRing)
