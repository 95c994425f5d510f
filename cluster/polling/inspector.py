"""What the workers say of themselves: who runs, holds and knows which tasks.

All are asked when the connection comes up, each new worker when it is first heard, and then only as
often as the screen and the command budget have it. A round ends when all known workers have
answered; what they say is handed on as it comes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ...model.observations import InspectReply, InspectTimeout
from ...model.state import BEAT_PREFIX
from ...settings import mask
from ..connection.backoff import backoff
from ..connection.remote_control import RemoteControl, Reply, Unreadable
from ..events.open_tasks import OpenTasks
from ..messages.sent_cache import SentCache
from .poller import MAX_INTERVAL, PAUSE_AFTER, Poller

if TYPE_CHECKING:
    from kombu.connection import Connection

FREQUENT_COMMANDS: Final = ("stats", "active", "reserved", "scheduled")
"""What changes all the time."""
OCCASIONAL_COMMANDS: Final = ("active_queues",)
"""What changes when somebody says so."""
STARTUP_COMMANDS: Final = ("registered", "conf")
"""What stays for the life of a worker; long, so asked once."""
ALL_COMMANDS: Final = ("active_queues", *FREQUENT_COMMANDS, *STARTUP_COMMANDS)
INSPECT_ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "registered": {"taskinfoitems": ["rate_limit", "soft_time_limit", "time_limit"]}
}
"""What goes with a question: of each registered task also its limits (Celery's default leaves out
those of time)."""
BACKGROUND_COMMANDS: Final = ("active", "active_queues")
"""What is asked now and then while nobody looks: enough to correct what events did not tell."""
ROUND_OVERHEAD: Final = 4.0
"""Commands that a round takes besides one for each question and one for each answer."""
PATIENCE: Final = 1.5
"""Seconds after the last answer in which somebody else may still answer."""
DISCOVERY_TIME: Final = 0.5
"""Seconds in which workers that nobody has heard of yet may make themselves known."""
MAX_EVENT_SILENCE: Final = 10.0
"""Seconds without any event, while workers send heartbeats, after which we doubt our own ears."""
POLL_INTERVAL: Final = 1.0
QUERY_INTERVAL: Final = 8.0
"""Seconds between two rounds of questions about single tasks."""
MAX_QUERIED_TASKS: Final = 100
"""Tasks of one such round: a worker looks through all it holds for each."""


def round_cost(commands: int, workers: int) -> float:
    """Return about how many commands a round of questions takes."""
    return ROUND_OVERHEAD + commands * (1 + workers)


class Inspector(Poller):
    """Asks the workers by remote control.

    Args:
        sent_cache: Where to keep what the tasks that they hold were sent with.
        open_tasks: Told which tasks they hold.
        shared: As every poller's.
    """

    topic = "worker"
    other_topic = "queue"
    _pidbox: RemoteControl
    _rounds = 0
    _asked_at = 0.0
    _asked_everyone = -1
    _reconnected_at = 0.0
    _queried_at = 0.0

    def __init__(
        self,
        *shared: Any,
        sent_cache: SentCache | None = None,
        open_tasks: OpenTasks | None = None,
    ) -> None:
        super().__init__(*shared)
        self.sent_cache = sent_cache if sent_cache is not None else SentCache()
        self._open_tasks = open_tasks if open_tasks is not None else OpenTasks()
        self._queried: tuple[tuple[str, ...], frozenset[str] | None] = ((), None)

    def query(self, ids: Sequence[str], names: frozenset[str] | None = None) -> None:
        """Ask soon which of these tasks the workers hold; in place of what was asked before.

        Args:
            ids: The tasks'.
            names: Whom to ask; None is everyone.
        """
        self._queried = tuple(ids)[:MAX_QUERIED_TASKS], names

    def opened(self, connection: Connection) -> None:
        """Make a mailbox for the answers."""
        settings = self._broker.settings
        self._pidbox = RemoteControl(connection, settings.control_exchange, settings.accept_content)

    def closing(self, connection: Connection) -> None:
        """Remove the mailbox from the broker."""
        self._pidbox.close()

    def poll(self, connection: Connection) -> float:
        """Ask whoever is to be asked now."""
        if self._asked_everyone != self._receiver.connect_count or self._refresh:
            self._refresh = False
            self._asked_everyone = self._receiver.connect_count
            self._ask_everyone()
        elif strangers := self._roster.to_inspect(self._broker.settings.enable_events):
            self._inspect_new(strangers)
        elif self._queried[0] and time.monotonic() >= self._next_query():
            self._query()
        elif (
            self._inbox.seconds_since_take() < PAUSE_AFTER
            and time.monotonic() >= self._next_round()
        ):
            self._ask_again()
        self._check_events_arrive()
        for name in sorted(self._roster.duplicates.copy()):
            self.note(
                "warning",
                f"More than one worker is called {name}: their numbers are mixed up. "
                "Start each with a name of its own, as in -n worker2@%h",
            )
        return POLL_INTERVAL

    def _next_round(self) -> float:
        settings = self._broker.settings
        commands, names = self._plan()
        cost = round_cost(len(commands), len(names))
        preferred = settings.inspect_interval
        longest = MAX_INTERVAL
        if not self._interest.on(self.topic):
            preferred *= 4
        elif not settings.frugal:
            # Of many workers nobody wants to wait as long as the budget would have it.
            longest = preferred * 4
        return self._asked_at + self.interval(preferred, cost, longest)

    def _plan(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what to ask next, and whom."""
        known = self._roster.present()
        if not self._interest.on(self.topic):
            return BACKGROUND_COMMANDS, known
        commands = (
            (*FREQUENT_COMMANDS, *OCCASIONAL_COMMANDS)
            if self._rounds % 4 == 3
            else FREQUENT_COMMANDS
        )
        if "workers" in self._interest.topics:
            return commands, known
        shown = {topic.removeprefix("worker:") for topic in self._interest.topics}
        return commands, tuple(name for name in known if name in shown) or known

    def _ask_everyone(self) -> None:
        """Ask all there are, known or not: `done` when those heard of have answered all."""
        self._round(self._with_events(ALL_COMMANDS, self._roster.present()), None)

    def _inspect_new(self, names: Sequence[str]) -> None:
        """Ask workers that came up; again and again if they do not hear, but ever more seldom.

        A worker that has just come online may not listen yet: its heart beats before its mailbox
        is open.
        """
        now = time.monotonic()
        for name in names:
            if member := self._roster.members.get(name):
                member.attempts += 1
                member.next_attempt = now + backoff(member.attempts, 1.0, MAX_INTERVAL)
        self._round(self._with_events(ALL_COMMANDS, names), names)

    def _ask_again(self) -> None:
        commands, names = self._plan()
        self._rounds += 1
        self._round(commands, names)

    def _next_query(self) -> float:
        names = self._queried[1]
        cost = round_cost(1, len(self._roster.present() if names is None else names))
        return self._queried_at + self.interval(QUERY_INTERVAL, cost, QUERY_INTERVAL * 3)

    def _query(self) -> None:
        self._queried_at = time.monotonic()
        (ids, names), self._queried = self._queried, ((), None)
        present = self._roster.present()
        self._round(("query_task",), [one for one in present if names is None or one in names], ids)

    def _with_events(self, commands: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
        """Add that they send task events; not if one among them was told on purpose to send none.

        The others are then strangers, who are asked by name.
        """
        wanted = self._broker.settings.enable_events and self._roster.events_disabled.isdisjoint(
            names
        )
        return ("enable_events", *commands) if wanted else commands

    def _round(
        self,
        commands: Sequence[str],
        names: Sequence[str] | None,
        ids: tuple[str, ...] = (),
    ) -> None:
        """Ask, hand on the answers, and name who stayed silent; `ids` are of `query_task`."""
        if not ids:
            self._asked_at = time.monotonic()
        if names is not None and not names:
            return
        started = time.monotonic()
        answers = _Answers(commands)

        def done(quiet: float) -> bool:
            if not self.working:
                return True
            expected = self._roster.present() if names is None else names
            if names is None and time.monotonic() - started < DISCOVERY_TIME:
                return False
            return quiet > PATIENCE or (bool(expected) and answers.complete(expected))

        def take(reply: Reply | Unreadable) -> None:
            self._on_reply(reply, answers, ids)

        arguments = {**INSPECT_ARGUMENTS, "query_task": {"ids": list(ids)}}
        self._pidbox.ask(commands, take, done, names, arguments)
        if names is not None:
            for command in commands:
                if silent := answers.missing(command, names):
                    self.put(InspectTimeout(command, silent, self._clock()))

    def _on_reply(
        self, reply: Reply | Unreadable, answers: _Answers, ids: tuple[str, ...] = ()
    ) -> None:
        if isinstance(reply, Unreadable):
            self.note(
                "warning",
                f"A worker answers in {reply.content_type}, which is not accepted: what it runs is "
                "known from events alone. celtop reads JSON, and msgpack with accept_content; "
                "pickle never, since whoever can send it can run code here",
            )
            return
        if reply.worker.startswith(BEAT_PREFIX):
            return
        if not answers.add(reply):
            self._roster.duplicates.add(reply.worker)
        member = self._roster.replied(reply.worker)
        if reply.command == "enable_events" and member is not None:
            # An error too: a worker that cannot send events will not learn it by being told again.
            member.events_enabled = True
        if reply.command == "active_queues" and isinstance(reply.value, list):
            self._add_queues(reply.value)
        value = mask(reply.value) if reply.command in ("stats", "conf") else reply.value
        self.sent_cache.add_reply(reply.command, reply.value, self._clock())
        self._open_tasks.apply_reply(reply.command, reply.value)
        error = None if reply.error is None else self._broker.hide(reply.error)
        self.put(InspectReply(reply.worker, reply.command, value, self._clock(), error, ids))

    def _add_queues(self, queues: list[Any]) -> None:
        for queue in queues:
            if isinstance(queue, dict) and isinstance(queue.get("name"), str):
                self._roster.add_queue(queue["name"])
                exchange = queue.get("exchange")
                if isinstance(exchange, dict) and isinstance(exchange.get("name"), str):
                    self._roster.add_exchange(exchange["name"])

    def _check_events_arrive(self) -> None:
        """Have the receiver connect anew if workers answer us while it hears none of them."""
        now = time.monotonic()
        members = self._roster.members.copy().values()
        beats = [one.heartbeat_interval for one in members if one.heartbeat_at is not None]
        if not beats or now - self._reconnected_at < 60.0:
            return
        if now - self._roster.last_event_at < max(MAX_EVENT_SILENCE, 4 * max(beats)):
            return
        self._reconnected_at = now
        heard: list[Reply | Unreadable] = []
        self._pidbox.ask(["ping"], heard.append, lambda quiet: bool(heard) or quiet > PATIENCE)
        if heard and now - self._roster.last_event_at >= MAX_EVENT_SILENCE:
            self._receiver.reconnect()


class _Answers:
    """Who has answered what in one round."""

    def __init__(self, commands: Sequence[str]) -> None:
        self._by_command: dict[str, set[str]] = {command: set() for command in commands}

    def add(self, reply: Reply) -> bool:
        """Note an answer; False if one of that name has answered already."""
        names = self._by_command[reply.command]
        if reply.worker in names:
            return False
        names.add(reply.worker)
        return True

    def missing(self, command: str, expected: Sequence[str]) -> tuple[str, ...]:
        """Return who of those expected did not answer."""
        return tuple(name for name in expected if name not in self._by_command[command])

    def complete(self, expected: Sequence[str]) -> bool:
        """Tell whether all of those expected have answered everything."""
        return all(names.issuperset(expected) for names in self._by_command.values())
