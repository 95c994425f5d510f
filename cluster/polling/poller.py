"""A thread that asks the broker something again and again, as seldom as it can."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from ...model.observations import LogMessage, Observation
from ..connection.backoff import backoff
from ..connection.broker import BrokerConnection
from ..connection.errors import explain
from ..events.receiver import Receiver
from ..events.roster import Roster
from ..inbox import Inbox

if TYPE_CHECKING:
    from kombu.connection import Connection

IDLE_COMMANDS_PER_MINUTE: Final = 10.0
"""Commands a minute that the whole session may send while nothing of what it asks is shown."""
SHOWN_COMMANDS_PER_MINUTE: Final = 30.0
"""Commands a minute while a screen shows what the pollers ask for."""
PAUSE_AFTER: Final = 30.0
"""Seconds without anybody looking after which no more is asked."""
MAX_INTERVAL: Final = 600.0
MAX_RETRY_DELAY: Final = 30.0
"""Seconds between two tries after failures."""
POLL_TIMEOUT: Final = 30.0
"""Seconds after which an AMQP broker is taken for dead."""
_EVENT_COMMANDS_PER_MINUTE: Final = 2.0
"""Commands a minute left to the event connection."""


class ScreenInterest:
    """What is on the screen, and what each poller may therefore spend."""

    def __init__(self, *, frugal: bool) -> None:
        self.frugal = frugal
        self.topics: frozenset[str] = frozenset()

    def on(self, prefix: str) -> bool:
        """Tell whether a topic, or one of its kind (`worker:NAME`), is on the screen."""
        return any(topic.startswith(prefix) for topic in self.topics)

    def share(self, prefix: str, other: str) -> float:
        """Return the commands a minute for the poller of one topic, beside that of the other."""
        wanted = self.on(prefix)
        total = (
            SHOWN_COMMANDS_PER_MINUTE
            if (wanted or self.on(other)) and not self.frugal
            else IDLE_COMMANDS_PER_MINUTE
        )
        total -= _EVENT_COMMANDS_PER_MINUTE
        if wanted == self.on(other):
            return total / 2
        smaller = (IDLE_COMMANDS_PER_MINUTE - _EVENT_COMMANDS_PER_MINUTE) / 2
        return total - smaller if wanted else smaller


class Poller(threading.Thread):
    """Works while the receiver is live; a subclass says how in `poll`.

    Args:
        name: The thread's name, and the source of its lines in the log.
        broker: Whom to ask.
        inbox: Where to leave what was learned.
        roster: Who is there.
        receiver: Its connection tells whether it is worth trying.
        interest: What is on the screen.
        clock: Our clock, in epoch seconds.
    """

    topic = ""
    other_topic = ""

    def __init__(
        self,
        name: str,
        broker: BrokerConnection,
        inbox: Inbox,
        roster: Roster,
        receiver: Receiver,
        interest: ScreenInterest,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name=f"celtop-{name}", daemon=True)
        self._source = name
        self._broker = broker
        self._inbox = inbox
        self._roster = roster
        self._receiver = receiver
        self._interest = interest
        self._clock = clock
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._noted: set[str] = set()
        self._refresh = False
        self._refreshes_asked = 0
        self._refreshes_done = 0

    @property
    def refreshed(self) -> bool:
        """Whether every refresh that was asked for is done, and its findings are in the inbox."""
        return self._refreshes_done == self._refreshes_asked

    @property
    def working(self) -> bool:
        """Whether there is anything to go on for."""
        return self._receiver.live.is_set() and not self._stopping.is_set()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping.set()
        self._woken.set()

    def wake(self, *, refresh: bool = False) -> None:
        """Have it look at once whether something is to be done; with `refresh`, do all of it."""
        if refresh:
            self._refresh = True
            self._refreshes_asked += 1
        self._woken.set()

    def run(self) -> None:
        """Poll until stopped, over a connection that is made anew when it fails."""
        failures = 0
        while not self._stopping.is_set():
            if not self._receiver.live.wait(0.25):
                continue
            self._succeeded = False
            try:
                self._work()
            except Exception as error:
                if self._succeeded:
                    # Brokers and firewalls close what is idle for minutes: no news.
                    failures = 0
                elif self.working:
                    fault = explain(error, self._broker)
                    self.note("warning", f"Asking the broker failed: {fault}")
                    failures += 1
                    self._stopping.wait(backoff(failures, 1.0, MAX_RETRY_DELAY))

    def poll(self, connection: Connection) -> float:
        """Do what is due; return the seconds until there may be something to do again."""
        raise NotImplementedError

    def opened(self, connection: Connection) -> None:
        """Prepare for a new connection."""

    def closing(self, connection: Connection) -> None:
        """Take back what was put on the broker."""

    def note(self, level: Literal["info", "warning"], text: str) -> None:
        """Put a line into the log, once for each text."""
        if text not in self._noted:
            self._noted.add(text)
            self.put(LogMessage(level, self._source, text, self._clock()))

    def put(self, observation: Observation) -> None:
        """Leave something that was learned."""
        self._inbox.put(observation)

    def interval(self, preferred: float, cost: float, longest: float) -> float:
        """Return the seconds until the next round.

        Args:
            preferred: Seconds, if commands were free.
            cost: Commands that a round takes.
            longest: Seconds after which the next round comes whatever it costs.
        """
        share = self._interest.share(self.topic, self.other_topic)
        return max(preferred, min(cost * 60.0 / share, longest))

    def _work(self) -> None:
        connection = self._broker.connect()
        try:
            self.opened(connection)
            while self.working:
                self._woken.clear()
                asked = self._refreshes_asked
                delay = self._poll(connection)
                self._succeeded = True
                if not self._refresh:
                    self._refreshes_done = asked
                self._woken.wait(delay)
            if self._receiver.live.is_set():
                self.closing(connection)
        finally:
            connection.collect()

    def _poll(self, connection: Connection) -> float:
        if not self._broker.is_amqp:
            return self.poll(connection)
        # py-amqp has no timeout for an answer: over a link that a firewall forgot, it never comes.
        with self._broker.meter.limit(POLL_TIMEOUT):
            return self.poll(connection)
