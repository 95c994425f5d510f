"""What an act has at hand while it is carried out: the broker, who is there, and its outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...model.operations.outcome import Answer, Outcome, PublishedTask
from ..connection.broker import BrokerConnection
from ..events.roster import Roster
from ..inbox import Inbox

if TYPE_CHECKING:
    from kombu.connection import Connection

LONGEST_STEP: Final = 15.0
"""Seconds after which an AMQP broker that does not answer is taken for dead."""


class Refused(Exception):
    """An act that makes no sense or must not be done; nothing was sent. The text says why."""


class Unsure(Exception):
    """The connection broke at the moment of sending: the broker may or may not have it.

    Raised from whatever the transport raised.

    Args:
        text: What is unsure, in words.
        targets: Of which workers and targets nobody knows; none is all that have no verdict yet.
    """

    def __init__(self, text: str = "", targets: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.targets = tuple(targets)


class OperationContext:
    """One act under way, in its own thread.

    Args:
        outcome: As it stands at the beginning.
        broker: Whom to talk to.
        inbox: Where to leave what is learned meanwhile.
        roster: Who is there.
        clock: Our clock, in epoch seconds.
        told: Called with the outcome whenever it has changed.
    """

    def __init__(
        self,
        outcome: Outcome,
        broker: BrokerConnection,
        inbox: Inbox,
        roster: Roster,
        clock: Callable[[], float],
        told: Callable[[Outcome], object],
    ) -> None:
        self.outcome = outcome
        self.broker = broker
        self.inbox = inbox
        self.roster = roster
        self.clock = clock
        self.cancelled = threading.Event()
        """Set when the user takes it back, or celtop ends: stop where nothing is half done."""
        self.afterwards: Callable[[], object] | None = None
        """Called when the act has ended and its outcome is told: to look at what comes of it."""
        self._told = told

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of this act's own, closed at the end.

        Raises:
            Exception: Whatever the transport raises; `faults.explain` puts it into words.
        """
        connection = self.broker.connect()
        try:
            yield connection
        finally:
            connection.collect()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Have whatever waits in here for the broker fail after `LONGEST_STEP` seconds.

        Redis connections have a timeout of their own; py-amqp waits for an answer for ever.
        """
        with self.broker.meter.limit(LONGEST_STEP):
            yield

    def tell(
        self,
        *,
        workers: Mapping[str, Answer] | None = None,
        targets: Mapping[str, Answer] | None = None,
        sent: tuple[PublishedTask, ...] = (),
        **changes: Any,
    ) -> None:
        """Take answers into the outcome and pass it on.

        Args:
            workers: What workers said; replaces what they said before.
            targets: What is now certain of some targets.
            sent: Tasks that the broker has taken.
            changes: Further fields of `Outcome`.
        """
        before = self.outcome
        self.outcome = msgspec.structs.replace(
            before,
            workers={**before.workers, **(workers or {})},
            targets={**before.targets, **(targets or {})},
            sent=before.sent + sent,
            **changes,
        )
        self._told(self.outcome)
