"""What came of an act: for each worker that was to answer, and for each target."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from ..entities.fault import Fault
from .commands import AnyOperation

Verdict: TypeAlias = Literal["confirmed", "refused", "silent", "unsure", "unsent"]
"""`confirmed`: done, or taken note of. `refused`: answered with a reason. `silent`: sent, and no
answer came. `unsure`: the connection broke while it was sent, so that it may or may not have been.
`unsent`: certainly nothing was sent."""

FLAGGED: Final = "no worker has it: flagged as revoked"
"""What is told of a task that was to be ended and that no worker has: it may have ended by itself,
or wait in its queue."""
BAD: tuple[Verdict, ...] = ("unsent", "unsure", "refused", "silent")


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What one worker said, or what became of one target."""

    verdict: Verdict
    text: str = ""
    """The worker's words or the reason; hostile, as all text from the cluster."""


class PublishedTask(msgspec.Struct, frozen=True, gc=False):
    """A task that was put into a queue."""

    id: str
    name: str
    queue: str
    at: float
    retry_of: str | None = None
    args: str | None = None
    """The arguments as events tell them: a repr, cut."""
    kwargs: str | None = None
    eta_at: float | None = None
    expires_at: float | None = None


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """An act as far as it has come; replaced whole with each answer."""

    act: int
    """Counts up within a session."""
    command: AnyOperation
    began_at: float
    ended_at: float | None = None
    """None while it goes on."""
    workers: dict[str, Answer] = {}
    """By name: those that have answered, and at the end all that were to."""
    targets: dict[str, Answer] = {}
    """By task id, worker or queue: what is certain so far, at the end all of them."""
    sent: tuple[PublishedTask, ...] = ()
    count: int | None = None
    """How many messages were deleted, where that is what it does."""
    stage: str = ""
    """What it is at, in words, while it goes on: `3 active, 2 reserved`."""
    refusal: str | None = None
    """Why nothing was done at all: read-only, nobody to ask, a bad argument."""
    fault: Fault | None = None
    """What is wrong with the broker, if that is what ended it."""
    unlogged: str | None = None
    """Why it is not in the audit file, if it should be."""

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        return self.ended_at is not None

    def having(self, verdict: Verdict) -> tuple[str, ...]:
        """Return the targets with a verdict."""
        return tuple(name for name, answer in self.targets.items() if answer.verdict == verdict)

    def workers_having(self, verdict: Verdict) -> tuple[str, ...]:
        """Return the workers with a verdict."""
        return tuple(name for name, answer in self.workers.items() if answer.verdict == verdict)

    @property
    def good(self) -> bool:
        """Whether it has ended and everything was confirmed by everyone."""
        answers = (*self.targets.values(), *self.workers.values())
        return (
            self.ended
            and self.refusal is None
            and self.fault is None
            and all(answer.verdict == "confirmed" for answer in answers)
        )
