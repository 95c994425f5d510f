"""The outcome of an operation: a verdict for each worker that was to reply, and each target."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from ..entities.fault import Fault
from ..entities.states import TaskState
from .commands import Operation

Verdict: TypeAlias = Literal["confirmed", "refused", "silent", "unsure", "unsent", "restored"]
"""`confirmed`: done, or accepted by the worker. `refused`: the reply is an error. `silent`: sent,
but no reply came. `unsure`: the connection broke during sending, so it may have been sent or not.
`unsent`: certainly not sent. `restored`: cancelled, and what was changed is as before."""

UNCONFIRMED: Final[tuple[Verdict, ...]] = ("unsent", "unsure", "refused", "silent", "restored")

MARKED_ONLY: Final = "no worker has it; marked as revoked"
"""The text of a task to be terminated that no worker holds: it may have finished, or be waiting in
its queue."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The verdict on one worker or target."""

    verdict: Verdict
    text: str = ""
    """The worker's reply or the reason; hostile, as all text from the cluster."""


class PublishedTask(msgspec.Struct, frozen=True, gc=False):
    """A task that was put into a queue."""

    id: str
    name: str
    queue: str
    at: float
    """When the broker took it, epoch seconds."""
    retry_of: str | None = None
    args: str | None = None
    """The arguments as events carry them: a truncated repr."""
    kwargs: str | None = None
    eta_at: float | None = None
    expires_at: float | None = None


class KnownTargets(msgspec.Struct, frozen=True, gc=False):
    """The targets of an operation as they were known when it started."""

    finished: dict[str, TaskState] = {}
    """The states of the tasks that had finished, by id."""
    running: dict[str, str] = {}
    """The workers of the tasks that were running."""
    begun_at: dict[str, float] = {}
    """When unfinished tasks were last sent, received or started; 0 if that is unknown."""
    namesakes: dict[str, int] = {}
    """How many workers have each name that several workers share."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The outcome of an operation so far; replaced whole with each reply."""

    number: int
    """Counts up within a session."""
    operation: Operation
    began_at: float
    """Epoch seconds, as all times here."""
    ended_at: float | None = None
    """None while it is running."""
    workers: dict[str, Answer] = {}
    """By name: the workers that have replied; at the end all that were expected to."""
    targets: dict[str, Answer] = {}
    """By task id, stamp, worker or queue: what is certain so far; at the end all targets."""
    sent: tuple[PublishedTask, ...] = ()
    count: int | None = None
    """How many messages or results were deleted, by a purge."""
    stage: str = ""
    """Progress in words while it is running: `3 active, 2 reserved`."""
    refusal: str | None = None
    """Why nothing was done at all: read-only, no workers, an invalid argument."""
    fault: Fault | None = None
    """The broker error that ended it."""
    unlogged: str | None = None
    """Why it is missing from the audit file."""
    namesakes: dict[str, int] = {}
    """How many workers have each name that several workers share; they have one verdict."""
    inverse: tuple[Operation, ...] = ()
    """The operations that undo it, as of its start; empty if none do, or if it undoes another."""

    @property
    def ended(self) -> bool:
        """Whether the outcome is final."""
        return self.ended_at is not None

    def having(self, verdict: Verdict) -> tuple[str, ...]:
        """Return the targets with a verdict."""
        return tuple(name for name, answer in self.targets.items() if answer.verdict == verdict)

    def workers_having(self, verdict: Verdict) -> tuple[str, ...]:
        """Return the workers with a verdict."""
        return tuple(name for name, answer in self.workers.items() if answer.verdict == verdict)

    def number_of_workers(self, *verdicts: Verdict) -> int:
        """Return the number of workers, or of those with one of some verdicts."""
        return sum(
            self.namesakes.get(name, 1)
            for name, answer in self.workers.items()
            if not verdicts or answer.verdict in verdicts
        )

    @property
    def good(self) -> bool:
        """Whether it has ended and every worker and target is confirmed."""
        answers = (*self.targets.values(), *self.workers.values())
        return (
            self.ended
            and self.refusal is None
            and self.fault is None
            and all(answer.verdict == "confirmed" for answer in answers)
        )
