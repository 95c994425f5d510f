"""The base of the polling threads, which keep within a budget of broker commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from ...model.entities.fault import Fault
from ...model.observations import Observation
from ..connection.backoff import backoff
from ..connection.broker import BrokerConnection
from ..connection.errors import explain
from ..events.receiver import Receiver
from ..events.roster import Roster
from ..inbox import Inbox
from ..stoppable_thread import StoppableThread

if TYPE_CHECKING:
    from kombu.connection import Connection

IDLE_COMMANDS_PER_MINUTE: Final = 10.0
"""Budget of the whole session while the screen shows nothing that is polled."""
SHOWN_COMMANDS_PER_MINUTE: Final = 30.0
"""Budget of the whole session while the screen shows polled values."""
PAUSE_AFTER: Final = 30.0
"""Seconds without a `pump` after which polling pauses."""
MAX_INTERVAL: Final = 600.0
"""Seconds between two rounds, whatever they cost."""
MAX_RETRY_DELAY: Final = 30.0
"""Seconds between two attempts after failures."""
POLL_TIMEOUT: Final = 30.0
"""Seconds for one poll of an AMQP broker before its connection is cut."""
POLL_ROUND_TRIPS: Final = 100.0
"""The same in round trips, which are added: there is one for each queue."""
CLOSED: Final = frozenset({"closed", "timeout"})
"""Kinds of faults of a connection that was closed while it was idle."""
_EVENT_COMMANDS_PER_MINUTE: Final = 2.0
"""Budget reserved for the event connection."""


class ScreenInterest:
    """The topics on the screen, and the budget that they give to each poller."""

    def __init__(self, *, frugal: bool) -> None:
        self.frugal = frugal
        self.topics: frozenset[str] = frozenset()

    def on(self, prefix: str) -> bool:
        """Return whether a topic with this prefix (`worker` of `worker:NAME`) is on the screen."""
        return any(topic.startswith(prefix) for topic in self.topics)

    def share(self, prefix: str, other: str) -> float:
        """Return one poller's commands per minute, given the topic of the other poller."""
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


class Poller(StoppableThread):
    """A thread that calls the subclass's `poll` while the receiver is connected."""

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
    ) -> None:
        super().__init__(name)
        self._source = name
        self._broker = broker
        self._inbox = inbox
        self._roster = roster
        self._receiver = receiver
        self._interest = interest
        self._noted: set[str] = set()
        self._refresh = False
        self._refreshes_asked = 0
        self._refreshes_done = 0

    @property
    def refreshed(self) -> bool:
        """Whether every requested refresh is complete, with its observations in the inbox."""
        return self._refreshes_done == self._refreshes_asked

    @property
    def working(self) -> bool:
        """Whether to go on: connected and not stopped."""
        return self._receiver.live.is_set() and not self._stopping.is_set()

    def wake(self, *, refresh: bool = False) -> None:
        """Check at once whether a poll is due; with `refresh`, poll everything now."""
        if refresh:
            self._refresh = True
            self._refreshes_asked += 1
        self._woken.set()

    def run(self) -> None:
        """Poll until stopped, reconnecting after each failure."""
        failures = 0
        while not self._stopping.is_set():
            if not self._receiver.live.wait(0.25):
                continue
            self._succeeded = False
            try:
                self._work()
            except Exception as error:
                self._broker.meter.sending_fails.set()
                if not self.working:
                    continue
                fault = explain(error, self._broker)
                failures = 0 if self._succeeded else failures + 1
                # Brokers and firewalls close idle connections; a new one is opened at once.
                if failures or fault.kind not in CLOSED:
                    self.failed(fault)
                if failures:
                    self.note("warning", f"Polling failed: {fault}")
                    self._stopping.wait(backoff(failures, 1.0, MAX_RETRY_DELAY))

    def poll(self, connection: Connection) -> float:
        """Do what is due; return the seconds until the next call."""
        raise NotImplementedError

    def opened(self, connection: Connection) -> None:
        """Prepare a new connection."""

    def failed(self, fault: Fault) -> None:
        """Report the questions that the fault left without an answer."""

    def closing(self, connection: Connection) -> None:
        """Clean up on the broker before the connection is closed."""

    def note(self, level: Literal["info", "warning"], text: str) -> None:
        """Log a line, once for each text."""
        if text not in self._noted:
            self._noted.add(text)
            self._inbox.log(level, self._source, text)

    def put(self, observation: Observation) -> None:
        """Put an observation into the inbox."""
        self._inbox.put(observation)

    def interval(self, preferred: float, cost: float, maximum: float) -> float:
        """Return the seconds until the next round.

        Args:
            preferred: Seconds, if the budget allows it.
            cost: Commands that a round takes.
            maximum: Seconds after which the next round is due whatever it costs.
        """
        share = self._interest.share(self.topic, self.other_topic)
        return max(preferred, min(cost * 60.0 / share, maximum))

    def _work(self) -> None:
        with self._broker.connection() as connection:
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

    def _poll(self, connection: Connection) -> float:
        if not self._broker.is_amqp:
            return self.poll(connection)
        # py-amqp has no timeout for replies: over a connection that a firewall dropped, it hangs.
        with self._broker.meter.limit(POLL_TIMEOUT + POLL_ROUND_TRIPS * self._broker.round_trip):
            return self.poll(connection)
