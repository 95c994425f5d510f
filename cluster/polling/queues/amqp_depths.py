"""Reads the depths of queues on RabbitMQ.

A passive declare of a queue returns exactly how many messages are ready, and how many consumers it
has. The management API lists all queues, and counts unacknowledged messages, but is up to some
seconds late: it is used for what a passive declare does not return, and for all queues beyond
`MAX_DECLARED`.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec.structs import replace

from ....model.entities.fault import Fault
from ....model.entities.messages.delayed import LEVELS, Delayed, DelayLevel, level_name
from ....model.entities.queue import DEFAULT_QUEUE, STATISTICS_DELAY, is_internal
from ....model.observations import (
    DelayedMeasured,
    QuestionsAnswered,
    QuestionsFailed,
    QueueGone,
    QueueMeasured,
)
from ...connection.broker import BrokerConnection
from ...connection.management_api import TURNED_OFF, ManagementApi
from ...events.roster import MAX_NAMES, Roster
from .queue_listing import ListedQueue, QueueListing
from .redis_bindings import OTHER_WAYS

if TYPE_CHECKING:
    from kombu.connection import Connection

Measured: TypeAlias = (
    QueueMeasured | QueueGone | DelayedMeasured | QuestionsAnswered | QuestionsFailed
)

MAX_DECLARED: Final = 20
"""Listed queues that are declared passively in one measurement; those with messages come first."""
MAX_COUNTED: Final = 100
"""Queues that one command counts beyond its budget. The budget is for brokers that bill commands;
a passive declare is no message, for which hosted RabbitMQ is billed."""
MAX_COUNTING_SECONDS: Final = 2.0
"""Seconds for which it does: there is one round trip for each queue."""
DECLARE_INTERVAL: Final = 3.0
"""Seconds between two passive declares of listed queues, unless they are measured more often."""
LATE_EVENTS: Final = 10.0
"""Seconds for which events may still name a queue that was deleted."""
DEFAULT_QUEUE_INTERVAL: Final = 30.0
"""Seconds between two passive declares of the default queue if it does not exist: the broker closes
the channel each time."""
DELAYS_INTERVAL: Final = 30.0
"""Seconds between two passive declares of all levels of delayed delivery."""
_KINDS: Final = ("classic", "quorum")
"""The kinds of queues that Celery consumes; not streams."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$")
_NO_QUEUE: Final = "no queue of this name"
_UNREACHABLE: Final = "NOT_FOUND - home node"
"""How RabbitMQ refuses if a queue is not found since the node that has its messages is down."""
_NO_PRIORITIES: Final = "RabbitMQ does not count messages by priority"
NOT_COUNTED: Final = (
    "not counted: AMQP counts one queue per round trip, and one celtop command makes only some. "
    "Enable the management plugin, or name the important queues with --queues"
)
AMQP_COUNTS_NO_UNACKED: Final = "AMQP does not report unacknowledged messages, nor kind and bytes"
AMQP_LISTS_NO_QUEUES: Final = Fault(
    "unsupported",
    "AMQP cannot list queues, so a queue without consumers is found only if a task-sent event "
    "names it",
    OTHER_WAYS,
)
_PENDING: Final = Fault(
    "unsupported",
    "AMQP cannot list queues, and the management API has not replied yet",
    "Set rabbitmq_management to its URL",
)


class AmqpDepths:
    """RabbitMQ: a passive declare for each known queue, and the management API.

    The broker closes the channel with each refusal, and py-amqp reopens it; opening a new channel
    each time would soon exceed the channel limit.

    Args:
        connection: The connection.
        broker: The broker.
        roster: The workers that are known, which may become more.
        found: The queues that were found over earlier connections.
    """

    latency: float | None = None

    def __init__(
        self,
        connection: Connection,
        broker: BrokerConnection,
        roster: Roster,
        found: Iterable[str] = (),
    ) -> None:
        self._connection = connection
        self._roster = roster
        self._meter = broker.meter
        self._frugal = broker.settings.frugal
        self._ranks = {name: rank for rank, name in enumerate(broker.settings.queues)}
        """The places of the important queues, the first ones first."""
        self._channel: Any = None
        self._listing = QueueListing(
            ManagementApi(broker, connection),
            connection.virtual_host or "/",
            bindings=not self._frugal,
        )
        self._measured = set(found)
        self._deleted: dict[str, float] = {}
        """Queues that existed earlier, and when they were missed first: those that are named, or
        may still be by late events."""
        self._interval = min(DECLARE_INTERVAL, broker.settings.queue_interval)
        self._listed_at = 0.0
        self._declare_due = float("-inf")
        self._default_due = float("-inf")
        self._delays_due = float("-inf")
        self._delays = False
        self._beyond_budget = 0 if self._frugal else MAX_COUNTED

    @property
    def found(self) -> set[str]:
        """The queues that exist or existed."""
        return self._measured | self._deleted.keys()

    @property
    def fault(self) -> Fault | None:
        """Why queues may be missing; None if all are found."""
        fault = self._listing.fault
        if self._listing.queues is not None:
            return fault
        if self._listing.is_pending:
            return _PENDING
        if fault is None:
            return AMQP_LISTS_NO_QUEUES
        return Fault(
            "unsupported",
            f"AMQP can neither list queues nor count unacknowledged messages, and {fault.problem}",
            fault.advice,
        )

    def search_again(self) -> None:
        """Ask the management API again with the next measurement, if it could not be used."""
        self._listing.retry()

    def close(self) -> None:
        """Close the connection to the management API."""
        self._listing.close()

    def measure(self, names: frozenset[str]) -> Iterator[Measured]:
        """Yield the depth of each named or listed queue, and `QueueGone` for deleted ones.

        Before them comes whether the management API can be used, as soon as that is known.
        """
        self._listing.refresh()
        yield from self._management()
        sparing = self._frugal or self._meter.is_limited
        if time.monotonic() >= self._default_due and not (sparing and names):
            names |= {DEFAULT_QUEUE}
        named = {name for name in names if not is_internal(name)}
        since = time.time() - LATE_EVENTS
        self._deleted = {
            name: at for name, at in self._deleted.items() if name in named or at >= since
        }
        listed = self._listing.queues
        if listed is None:
            others = sorted(self._measured - named)[:MAX_DECLARED]
            first = sorted(named, key=lambda name: (self._ranks.get(name, math.inf), name))
            yield from self._declared_within_budget([*first, *others])
            if not self._listing.is_pending and self._may_have_delays:
                yield from self._declared_delays()
        else:
            yield from self._measure_listed(named, listed)

    def _management(self) -> Iterator[QuestionsAnswered | QuestionsFailed]:
        if self._listing.queues is not None:
            yield QuestionsAnswered(("management",), self._listing.at)
        elif not self._listing.is_pending:
            fault = self._listing.fault or TURNED_OFF
            yield QuestionsFailed("cluster", ("management",), time.time(), fault)

    def _measure_listed(
        self, named: set[str], listed: Mapping[str, ListedQueue]
    ) -> Iterator[Measured]:
        queues = {queue.name: queue for queue in listed.values() if self._is_shown(queue, named)}
        missing = sorted((self._measured | named) - queues.keys())
        if self._listed_at == self._listing.at:
            # They may have been declared since the queues were listed.
            yield from self._declared(name for name in missing if name not in listed)
        else:
            for name in missing:
                yield from self._missing(name, self._listing.at, _note(listed.get(name)))
        ranked = sorted(
            queues.values(), key=lambda one: (not one.waiting, one.name not in named, one.name)
        )
        known = {one.name: self._from_listing(one) for one in ranked}
        most = min(MAX_DECLARED, self._spare)
        declared = [one.name for one in ranked[:most]]
        if time.monotonic() < self._declare_due:
            declared = [name for name in declared if name not in self._measured]
        else:
            self._declare_due = time.monotonic() + self._interval
        for seen in self._declared(declared):
            yield _joined(seen, known) if isinstance(seen, QueueMeasured) else seen
        if self._listed_at != self._listing.at:
            self._listed_at = self._listing.at
            for name in known.keys() - declared:
                self._measured.add(name)
                self._deleted.pop(name, None)
                yield known[name]
        yield from self._listed_delays()

    def _is_shown(self, queue: ListedQueue, named: set[str]) -> bool:
        """Return whether a queue may be for tasks; those for replies are named after a UUID."""
        if queue.name in named:
            return queue.kind in _KINDS
        return (
            queue.kind in _KINDS
            and not is_internal(queue.name)
            and not self._listing.statistics(queue.name).exclusive
            and _UUID.search(queue.name) is None
        )

    def _from_listing(self, queue: ListedQueue) -> QueueMeasured:
        """Return a queue as the management API reported it."""
        statistics = self._listing.statistics(queue.name)
        notes = []
        if queue.waiting is None:
            notes.append("the management API has not counted its messages yet")
        if queue.max_priority is not None:
            notes.append(_NO_PRIORITIES)
        return QueueMeasured(
            queue.name,
            self._listing.at - STATISTICS_DELAY,
            waiting=queue.waiting,
            unacked=queue.unacked,
            consumer_count=statistics.consumers,
            notes=tuple(notes),
            queue_kind=queue.kind,
            message_bytes=statistics.message_bytes,
            max_priority=queue.max_priority,
            statistics_at=self._listing.at,
            in_per_s=statistics.in_per_s,
            out_per_s=statistics.out_per_s,
        )

    @property
    def _spare(self) -> int:
        """The number of passive declares that may still be sent."""
        return int(max(0, min(MAX_NAMES, self._meter.spare - (self._channel is None))))

    def _declared_within_budget(self, names: Sequence[str]) -> Iterator[QueueMeasured | QueueGone]:
        """Yield the same for as many as may be declared."""
        most = self._spare
        yield from self._declared(names[:most])
        deadline = time.monotonic() + MAX_COUNTING_SECONDS
        for name in names[most:]:
            if name in self._measured:
                continue
            if self._beyond_budget and time.monotonic() < deadline:
                self._beyond_budget -= 1
                before = self._meter.sent
                yield from self._declared([name])
                self._meter.allow(self._meter.sent - before)
            else:
                yield QueueMeasured(name, time.time(), notes=(NOT_COUNTED,))

    def _declared(self, names: Iterable[str]) -> Iterator[QueueMeasured | QueueGone]:
        """Yield what passive declares return."""
        for name in names:
            at = time.time()
            answer = self._declare(name)
            if isinstance(answer, str):
                yield QueueMeasured(name, at, notes=(answer,))
            elif answer is not None:
                self._measured.add(name)
                self._deleted.pop(name, None)
                yield QueueMeasured(
                    name,
                    at,
                    waiting=answer.message_count,
                    consumer_count=answer.consumer_count,
                    notes=(AMQP_COUNTS_NO_UNACKED,),
                )
            else:
                if name == DEFAULT_QUEUE and name not in self._measured:
                    self._default_due = time.monotonic() + DEFAULT_QUEUE_INTERVAL
                yield from self._missing(name, at, _NO_QUEUE)

    def _missing(self, name: str, at: float, note: str) -> Iterator[QueueMeasured | QueueGone]:
        """Yield that a queue is gone, or why it is not measured.

        A queue that existed is gone, even if late events have named it. If events name it again
        later, tasks are sent to it without being delivered: it stays, as those of the settings.
        """
        if name in self._measured:
            self._measured.discard(name)
            self._deleted[name] = at
        deleted_at = self._deleted.get(name, 0.0)
        if name not in self._ranks and at - deleted_at <= LATE_EVENTS:
            self._roster.forget_queue(name)
            yield QueueGone(name, at)
        elif name != DEFAULT_QUEUE or name in self._deleted or name in self._roster.queues:
            yield QueueMeasured(name, at, notes=(note,), is_missing=note == _NO_QUEUE)

    def _declare(self, name: str) -> Any:
        """Return the reply to a passive declare; None if there is no such queue, or the refusal."""
        from amqp.exceptions import ChannelError, NotFound

        started = time.perf_counter()
        try:
            if self._channel is None:
                self._channel = self._connection.channel()
            answer = self._channel.queue_declare(name, passive=True)
        except ChannelError as error:
            refusal = " ".join(str(error).split())
            is_missing = isinstance(error, NotFound) and _UNREACHABLE not in refusal
            return None if is_missing else refusal
        self.latency = time.perf_counter() - started
        return answer

    @property
    def _may_have_delays(self) -> bool:
        """Whether to look for levels of delayed delivery: always, or where workers may use it."""
        sparing = self._frugal or self._meter.is_limited
        return not sparing or self._roster.may_use_delayed_delivery

    def _listed_delays(self) -> Iterator[DelayedMeasured]:
        """Yield the messages of delayed delivery, if there are or were any levels."""
        delayed = self._listing.delayed
        if delayed is not None or self._delays:
            self._delays = delayed is not None
            yield DelayedMeasured(delayed or Delayed(), self._listing.at)

    def _declared_delays(self) -> Iterator[DelayedMeasured]:
        """Yield the messages of delayed delivery by passive declares of all its levels."""
        now = time.monotonic()
        if now < self._delays_due:
            return
        self._delays_due = now + DELAYS_INTERVAL * (10 if self._frugal else 1)
        levels = []
        for level in reversed(range(LEVELS)):
            answer = self._declare(level_name(level))
            if answer is None or isinstance(answer, str):
                break  # a worker declares all of them at once, this one first
            levels.append(DelayLevel(level, answer.message_count))
        if levels or self._delays:
            self._delays = bool(levels)
            at = time.time()
            filled = tuple(level for level in reversed(levels) if level.messages)
            yield DelayedMeasured(Delayed(filled, at if levels else None), at)


def _note(queue: ListedQueue | None) -> str:
    """Return why a named queue is not measured."""
    return _NO_QUEUE if queue is None else f"a {queue.kind} queue is not measured"


def _joined(seen: QueueMeasured, known: Mapping[str, QueueMeasured]) -> QueueMeasured:
    """Return a queue as listed, with the exact numbers of a passive declare."""
    listed = known[seen.name]
    if seen.waiting is None:
        return listed  # refused
    return replace(listed, at=seen.at, waiting=seen.waiting, consumer_count=seen.consumer_count)
