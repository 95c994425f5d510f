"""Inspects the workers by remote control: their tasks, queues, statistics and configuration.

All workers are inspected when the connection comes up, each new worker when its first event
arrives, and then as often as the screen needs it and the command budget allows. A round ends when
all known workers have replied; each reply is handed on as it arrives.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ....model.entities.fault import Fault
from ....model.observations import (
    QuestionsAnswered,
    QuestionsAsked,
    QuestionsFailed,
)
from ...connection.backoff import backoff
from ...connection.remote_control import RemoteControl
from ...connection.replies import NO_REPLY, Replies, Reply
from ...events.open_tasks import OpenTasks
from ...events.task_events import TaskEvents
from ...messages.sent_cache import SentCache
from ..poller import MAX_INTERVAL, PAUSE_AFTER, Poller
from .event_silence import EventSilence
from .inspect_schedule import (
    ALL_COMMANDS,
    FREQUENT_COMMANDS,
    INSPECT_ARGUMENTS,
    OCCASIONAL_COMMANDS,
    REVOKED_COMMANDS,
    ROUND_OVERHEAD,
    InspectSchedule,
    round_cost,
)
from .missing_replies import MAX_ASKED_ALONE, MissingReplies
from .task_queries import TaskQueries
from .unobserved_workers import COMMANDS as UNOBSERVED_COMMANDS
from .unobserved_workers import UnobservedWorkers
from .worker_replies import WorkerReplies

if TYPE_CHECKING:
    from kombu.connection import Connection

DISCOVERY_TIME: Final = 0.5
"""Seconds in the first round for unknown workers to reply."""
ENABLE_TIMEOUT: Final = 0.4
"""Seconds at the end of celtop for the replies of workers whose task events are being enabled."""
RECEIVER_TIMEOUT: Final = 1.0
"""Seconds at the end of celtop for the event connection to close."""
POLL_INTERVAL: Final = 1.0
"""Seconds between two checks of what is due."""
QUIET_INTERVAL: Final = 3.0
"""The same while no screen shows workers, and none has to be asked soon."""
SETTLE_SECONDS: Final = 0.3
"""Seconds from the first event of a new worker to its inspection: others may start with it, and it
sends events before it receives commands."""
MAX_SEARCHED_MESSAGES: Final = 1_000
"""Messages of a queue, the next ones first, among which a query looks for its tasks."""


class Inspector(Poller):
    """Inspects the workers by remote control."""

    topic = InspectSchedule.topic
    other_topic = "queue"
    _control: RemoteControl
    _blocked: Fault | None = None
    _inspected_all_at_connect = -1
    _has_unknown = False
    """Whether there are workers whose names or queues are unknown."""

    def __init__(self, *shared: Any, open_tasks: OpenTasks) -> None:
        super().__init__(*shared)
        self.sent_cache = SentCache()
        """The calls of the tasks in the replies."""
        self._open_tasks = open_tasks
        self._task_events = TaskEvents(self._broker, self._roster)
        settings = self._broker.settings
        self._unobserved = UnobservedWorkers(
            self._roster, enable_events=settings.enables_events, frugal=settings.frugal
        )
        self._schedule = InspectSchedule(self._roster, self._interest, settings, self.interval)
        self._give_up_at: float | None = None
        self._queries = TaskQueries(self._roster, self.interval)
        self._stale: frozenset[tuple[str, str]] = frozenset()
        """Commands and workers whose last replies are out of date."""
        self._revoked_asked = False
        self._in_flight: tuple[tuple[str, ...], Sequence[str] | None] | None = None
        """The commands and workers (None: all) of the current round."""
        self._missing = MissingReplies(self._roster)
        self._replies = WorkerReplies(
            self._roster,
            self._task_events,
            self._unobserved,
            warn=partial(self.note, "warning"),
            hide=self._broker.hide,
        )
        self._silence = EventSilence(self._roster, self._receiver)
        self._new_at: float | None = None
        """When the first of the new workers was noticed, by the monotonic clock."""
        self._roster.call_on_new = self._worker_came
        self._asked_last: set[str] = set()
        """Commands to which a worker could not encode its reply."""

    def query(
        self,
        ids: Sequence[str],
        names: frozenset[str] | None = None,
        queues: Sequence[str] = (),
    ) -> None:
        """Find out soon which of the tasks these workers, or all, have; replaces the last query.

        Args:
            ids: The tasks.
            names: The workers to ask; None for all.
            queues: The queues in whose messages to look for them as well.
        """
        self._queries.replace(ids, names, queues)
        self.wake()

    def ask_soon(self, command: str, names: Collection[str]) -> None:
        """Ask these workers again: their last reply to a command is out of date."""
        self._stale = self._stale.union((command, name) for name in names)
        self.wake()

    def inspect_revoked(self) -> None:
        """Ask all workers soon which tasks they will discard as revoked."""
        self._revoked_asked = True
        self.wake()

    @property
    def refreshed(self) -> bool:
        """Whether every request is complete, with its observations in the inbox."""
        return super().refreshed and not self._revoked_asked

    def found_unknown(self) -> None:
        """Inspect the workers without events soon: a task of theirs has ended unnoticed."""
        if self._unobserved.hurry():
            self._woken.set()

    def opened(self, connection: Connection) -> None:
        """Create the reply queue."""
        self._control = RemoteControl(connection, self._broker)
        if self._in_flight is not None:
            self._in_flight, self._schedule.round_at = None, 0.0

    def failed(self, fault: Fault) -> None:
        """Report the questions of the current round, or of the first, as failed."""
        commands, names = self._in_flight or (ALL_COMMANDS, None)
        if names is None:
            self.put(QuestionsFailed("cluster", ("workers",), time.time(), fault))
            self._has_unknown = True  # asked again with the next round
            names = self._roster.present()
        if names:
            self.put(QuestionsFailed("worker", commands, time.time(), fault, tuple(names)))

    def closing(self, connection: Connection) -> None:
        """Disable the task events that celtop has enabled, and delete the reply queue.

        While the broker accepts no messages it may read no requests either.
        """
        if self._broker.blocked is not None:
            return
        if self._stopping.is_set():
            self._receiver.join(RECEIVER_TIMEOUT)
            self._task_events.leave(connection, self._control)
        self._control.close()

    def poll(self, connection: Connection) -> float:
        """Inspect the workers that are due."""
        if (fault := self._broker.blocked or self._no_remote_control(connection)) is not None:
            # Commands would be dropped, or reach the workers much later: no reply would come.
            if self._refresh or fault != self._blocked:
                self.failed(fault)
            self._refresh, self._blocked = False, fault
            return POLL_INTERVAL
        self._blocked = None
        if self._inspected_all_at_connect != self._receiver.connect_count or self._refresh:
            connected, requested = self._receiver.connect_count, self._refresh
            # Another refresh may be requested meanwhile.
            self._refresh = False
            try:
                self._inspect_all()
            except BaseException:
                self._refresh |= requested
                raise
            self._inspected_all_at_connect = connected
        elif new := self._new_workers():
            self._inspect_new(new)
        elif self._revoked_asked:
            self._round(REVOKED_COMMANDS, self._roster.present())
            self._revoked_asked = False
        elif self._interest.one_shot:
            return POLL_INTERVAL if self._new_at is None else SETTLE_SECONDS
        elif self._queries.is_due():
            self._query(connection)
        elif self._stale:
            self._ask_stale()
        elif self._inbox.seconds_since_take() < PAUSE_AFTER:
            if time.monotonic() >= self._schedule.next_round_at:
                if self._has_unknown:
                    self._round(("ping",), None)
                self._inspect_due()
            elif self._schedule.consumers_due:
                self._round(OCCASIONAL_COMMANDS, self._schedule.shown_workers())
            self._inspect_unobserved()
        self._silence.check(self._control)
        if self._new_at is not None:
            return SETTLE_SECONDS
        return POLL_INTERVAL if self._is_busy else QUIET_INTERVAL

    @property
    def _is_busy(self) -> bool:
        """Whether something may be due soon that does not wake the poller."""
        enables_events = self._broker.settings.enables_events
        return bool(
            self._interest.topics
            or self._queries.waiting
            or self._roster.to_inspect(enables_events, at_any_time=True)
            or self._roster.unobserved(enables_events)
        )

    def _no_remote_control(self, connection: Connection) -> Fault | None:
        """Return a fault if the transport drops broadcasts: silence would look like no workers."""
        if connection.supports_exchange_type("fanout"):
            return None
        return Fault(
            "transport",
            f"{self._broker.scheme}:// has no remote control, so workers cannot be inspected",
            "Only results and waiting messages can be shown",
        )

    def _inspect_unobserved(self) -> None:
        if names := self._unobserved.due(len(UNOBSERVED_COMMANDS), ROUND_OVERHEAD):
            self._unobserved.begin()
            self._round(FREQUENT_COMMANDS if self._unobserved.whole else UNOBSERVED_COMMANDS, names)

    def _inspect_all(self) -> None:
        """Inspect all workers, known or not; done when the known ones have replied."""
        self._unobserved.begin()
        self._round(self._with_events(ALL_COMMANDS, self._roster.present()), None)

    def _worker_came(self) -> None:
        """Inspect a new worker soon; called from any thread."""
        if self._new_at is None:
            self._new_at = time.monotonic()
            self.wake()

    def _new_workers(self) -> tuple[str, ...]:
        """Return the workers that have not replied since they came online, if it is affordable."""
        if self._new_at is not None and time.monotonic() < self._new_at + SETTLE_SECONDS:
            return ()
        self._new_at = None
        names = self._roster.to_inspect(self._broker.settings.enables_events)
        return (
            names
            if self._broker.meter.spare >= round_cost(len(ALL_COMMANDS) + 1, len(names))
            else ()
        )

    def _inspect_new(self, names: Sequence[str]) -> None:
        """Inspect new workers, repeatedly with growing delays until they reply.

        A worker that has just come online may not reply yet: it sends heartbeats before its mailbox
        is open.
        """
        now = time.monotonic()
        for name in names:
            if member := self._roster.members.get(name):
                member.attempts += 1
                member.next_attempt = now + backoff(member.attempts, 1.0, MAX_INTERVAL)
        self._round(self._with_events(ALL_COMMANDS, names), names)
        if self._has_unknown:  # one of the new workers may be the unknown one
            self._round(("ping",), None)

    def _inspect_due(self) -> None:
        commands, names = self._schedule.plan()
        self._schedule.count_round()
        self._round(commands, names)

    def _ask_stale(self) -> None:
        stale, self._stale = self._stale, frozenset()
        for command in sorted({command for command, _ in stale}):
            names = [one for one in self._roster.present() if (command, one) in stale]
            self._round((command,), names)

    def _query(self, connection: Connection) -> None:
        """Ask which workers have the tasks; on Redis, look for their messages in the queues too.

        A task that replaced itself may wait in another queue, a redelivered one in its own.
        """
        query, commands = self._queries.take()
        self._round(commands, query.workers(self._roster.present()), query.ids)
        if self._broker.is_redis:
            from ...messages.reader import MessageReader

            reader = MessageReader(connection, self._broker)
            for seen in reader.locate(query.ids, query.queues, MAX_SEARCHED_MESSAGES):
                self.put(seen)

    def _with_events(self, commands: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
        """Add `enable_events`, unless one of the workers must not or cannot send them.

        The others are then inspected, and their events enabled, by name. A worker that cannot,
        before Celery 5.7, writes a traceback to its log each time.
        """
        wanted = self._broker.settings.enables_events and self._roster.can_enable_events(names)
        return ("enable_events", *commands) if wanted else commands

    def _replied(self, reply: Reply, ids: tuple[str, ...]) -> None:
        seen = self._replies.apply(reply, ids)
        if seen is not None:
            self.sent_cache.add_reply(reply.command, reply.value, seen.at)
            self._open_tasks.apply_reply(reply.command, reply.value)
            self.put(seen)

    def _round(
        self,
        commands: Sequence[str],
        names: Sequence[str] | None,
        ids: tuple[str, ...] = (),
    ) -> None:
        """Send commands to workers (None for all), hand on the replies, and report missing ones."""
        self._schedule.begin(commands, names)
        if names is not None and not names:
            return
        commands = sorted(commands, key=self._asked_last.__contains__)

        def expected() -> Sequence[str]:
            return self._roster.present() if names is None else names

        if "enable_events" in commands:
            self._task_events.asked()
        self._in_flight = tuple(commands), names
        asked = tuple(expected())
        self.put(QuestionsAsked("worker", tuple(commands), time.time(), asked))
        replies = self._control.gather(
            commands,
            lambda: expected() or None,
            destination=names,
            arguments={**INSPECT_ARGUMENTS, "query_task": {"ids": list(ids)}},
            on_reply=lambda reply: self._replied(
                reply, ids if reply.command == "query_task" else ()
            ),
            discovery_time=DISCOVERY_TIME if names is None else 0.0,
            cancelled=lambda: self._given_up("enable_events" in commands),
        )
        self._in_flight = None
        if not self.working:
            return
        if names is None:
            fault = self._missing.unknown_worker(
                self._control, replies, asked, has_mailboxes=self._broker.is_redis
            )
            self._has_unknown = fault is not None
            self.put(
                QuestionsAnswered(("workers",), time.time())
                if fault is None
                else QuestionsFailed("cluster", ("workers",), time.time(), fault)
            )
        self._missing.identify(self._control, replies, asked, lambda: not self.working)
        for command in commands:
            missing = set(asked) - replies.to(command).keys()
            for fault, silent in self._missing.faults(replies, command, missing).items():
                if fault is NO_REPLY:
                    self._broker.meter.sending_fails.set()
                self.put(QuestionsFailed("worker", (command,), time.time(), fault, tuple(silent)))
        self._ask_again(commands, asked, replies)

    def _ask_again(self, commands: Sequence[str], asked: Sequence[str], replies: Replies) -> None:
        """Ask the commands again, one at a time, that a worker lost because of another one.

        A worker that cannot encode its reply to a command resets its mailbox, and loses the
        commands behind it. From then on this command is asked last.
        """
        lost: dict[str, list[str]] = {}
        for name in asked:
            missing = [command for command in commands if name not in replies.to(command)]
            if missing and len(missing) < len(commands):
                self._asked_last.add(missing[0])
                lost[name] = missing[1:]
        for name in list(lost)[:MAX_ASKED_ALONE]:
            for command in lost[name]:
                if self._broker.meter.spare >= round_cost(1, 1):
                    self._round((command,), (name,))

    def _given_up(self, enabling: bool) -> bool:
        """Return whether a round is to end now: celtop exits, or the connection is lost.

        At the exit, the replies to `enable_events` are still waited for: what they confirm has to
        be disabled again.
        """
        if self.working or not (enabling and self._receiver.live.is_set()):
            return not self.working
        now = time.monotonic()
        self._give_up_at = self._give_up_at or now + ENABLE_TIMEOUT
        return now > self._give_up_at
