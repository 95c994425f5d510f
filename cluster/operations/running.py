"""A running operation: its context, and the exceptions that end it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import singledispatch
from typing import Any, Final, TypeAlias

import msgspec

from ...model.operations.commands import Operation
from ...model.operations.outcome import Answer, KnownTargets, Outcome, PublishedTask
from ..connection.broker import BrokerConnection
from ..events.roster import Roster
from ..inbox import Inbox
from ..results.backends.base import ResultReader

SwitchSchedule: TypeAlias = Callable[[Sequence[str], bool], Sequence[str]]
"""Enables or disables entries by name, and returns those that were changed."""

BROKER_TIMEOUT: Final = 15.0
"""Seconds after which an AMQP broker that does not reply is considered lost."""


class Refused(Exception):
    """The operation makes no sense or must not be done: nothing was sent, for this reason."""


class Unsure(Exception):
    """The connection broke during sending: the broker may or may not have received it.

    Raised from the transport's exception. `targets` are the workers and targets concerned; none:
    all that have no verdict yet.
    """

    def __init__(self, text: str = "", targets: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.targets = tuple(targets)


class OperationContext:
    """The connections of a running operation, in its own thread, and its outcome so far."""

    def __init__(
        self,
        outcome: Outcome,
        broker: BrokerConnection,
        inbox: Inbox,
        roster: Roster,
        on_change: Callable[[Outcome], object],
        known_targets: KnownTargets = KnownTargets(),  # noqa: B008  (frozen)
        results: Callable[[], ResultReader] | None = None,
        redact: Callable[[str], str] = str,
        switch_entries: SwitchSchedule | None = None,
    ) -> None:
        self.known_targets = known_targets
        """The targets as the model had them when the operation was started."""
        self.results = results
        """Returns the reader of the result backend; None if there is none to check."""
        self.switch_entries = switch_entries
        """Enables or disables entries of the schedule; None if there is no app to do it."""
        self.outcome = outcome
        self.broker = broker
        self.inbox = inbox
        self.roster = roster
        self.cancelled = threading.Event()
        """Set when the user cancels it, or celtop exits: stop where nothing is half done."""
        self.afterwards: Callable[[], object] | None = None
        """Called after the outcome was reported, to ask again for the effects."""
        self._on_change = on_change
        self.redact = redact
        """Masks what must not be shown in a text."""

    def limited(self) -> AbstractContextManager[None]:
        """Make the broker's replies within the block time out after `BROKER_TIMEOUT` seconds.

        Redis connections have a timeout of their own; py-amqp would wait forever.
        """
        return self.broker.meter.limit(BROKER_TIMEOUT)

    def require_messages(self) -> None:
        """Raise unless the broker accepts messages.

        Raises:
            Refused: It does not: a message would be delivered long after the command.
        """
        if self.broker.blocked is not None:
            raise Refused(str(self.broker.blocked))

    def report(
        self,
        *,
        workers: Mapping[str, Answer] | None = None,
        targets: Mapping[str, Answer] | None = None,
        sent: tuple[PublishedTask, ...] = (),
        **changes: Any,
    ) -> None:
        """Add verdicts, sent tasks and `changes` of other fields to the outcome; pass it on."""
        before = self.outcome
        self.outcome = msgspec.structs.replace(
            before,
            workers={**before.workers, **self._redacted(workers or {})},
            targets={**before.targets, **self._redacted(targets or {})},
            sent=before.sent + sent,
            **changes,
        )
        self._on_change(self.outcome)

    def _redacted(self, answers: Mapping[str, Answer]) -> dict[str, Answer]:
        """Return answers whose texts, which may be a worker's own, are masked."""
        return {
            name: Answer(answer.verdict, self.redact(answer.text)) if answer.text else answer
            for name, answer in answers.items()
        }


@singledispatch
def perform(operation: Operation, context: OperationContext) -> None:
    """Carry out an operation and report its outcome.

    Each kind of operation registers its own function. Import it from `registry`, where all are.

    Raises:
        Refused: It makes no sense; nothing was sent.
        Unsure: The connection broke during sending.
        Exception: Any error of the transport before anything was sent.
    """
    raise NotImplementedError(f"{type(operation).__name__} cannot be carried out")
