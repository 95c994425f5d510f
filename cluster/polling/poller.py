"""The base of the polling threads, which keep within a budget of broker commands."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Literal

from ...model.entities.fault import Fault
from ...model.observations import Observation
from ..connection.backoff import backoff
from ..connection.broker import BrokerConnection
from ..connection.faults.errors import explain
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
"""Seconds between two rounds, regardless of their cost."""
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
    """The topics on the screen, and the budget that they give to each poller.

    Args:
        frugal: Whether the budget stays that of a screen that shows nothing polled.
        one_shot: Whether the session is for one command, which polls only on request.
        collected: Whether a collector polls in its place, so that it polls only on request and
            keeps no connection for it.
    """

    def __init__(self, *, frugal: bool, one_shot: bool = False, collected: bool = False) -> None:
        self.frugal = frugal
        self.one_shot = one_shot
        self.collected = collected
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


class Poller:
    """Something that a `PollThread` polls while the receiver is connected."""

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
        self.name = name
        self._stopping = threading.Event()
        self._woken = threading.Event()
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
    def wanted(self) -> bool:
        """Whether there is anything to poll, or will be."""
        return self._refresh or not self._interest.collected

    @property
    def working(self) -> bool:
        """Whether to go on: connected and not stopped."""
        return self._receiver.live.is_set() and not self._stopping.is_set()

    def wake(self, *, refresh: bool = False) -> None:
        """Check now whether a poll is due; with `refresh`, poll everything now."""
        if refresh:
            self._refresh = True
            self._refreshes_asked += 1
        self._woken.set()

    def run_in(self, stopping: threading.Event, woken: threading.Event) -> None:
        """Use the events of the thread that will poll it; call this before the thread starts."""
        self._stopping, self._woken = stopping, woken

    def poll_now(self, connection: Connection) -> float:
        """Poll, and note which refreshes that completes; return the seconds until the next call."""
        asked = self._refreshes_asked
        delay = self.poll(connection)
        if not self._refresh:
            self._refreshes_done = asked
        return delay

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
            self._inbox.log(level, self.name, text)

    def put(self, observation: Observation) -> None:
        """Put an observation into the inbox."""
        self._inbox.put(observation)

    def interval(self, preferred: float, cost: float, maximum: float) -> float:
        """Return the seconds until the next round.

        Args:
            preferred: Seconds, if the budget allows it.
            cost: Commands that a round takes.
            maximum: Seconds after which the next round is due regardless of its cost.
        """
        share = self._interest.share(self.topic, self.other_topic)
        return max(preferred, min(cost * 60.0 / share, maximum))


class PollThread(StoppableThread):
    """A thread that polls over one connection, and reconnects after each failure.

    Args:
        broker: The broker.
        receiver: The receiver: polling is for the time that it is connected.
        pollers: What to poll, in this order; what fails is polled last from then on.
    """

    def __init__(self, broker: BrokerConnection, receiver: Receiver, *pollers: Poller) -> None:
        super().__init__(pollers[0].name)
        self._broker = broker
        self._receiver = receiver
        self._pollers = pollers
        self._active = pollers
        self._succeeded = False
        for one in pollers:
            one.run_in(self._stopping, self._woken)

    def wake(self) -> None:
        """Check now whether to go on, and what is due."""
        self._woken.set()

    @property
    def _working(self) -> bool:
        return self._receiver.live.is_set() and not self._stopping.is_set()

    def run(self) -> None:
        """Poll until stopped."""
        failures = 0
        while not self._stopping.is_set():
            self._woken.clear()
            if not any(one.wanted for one in self._pollers):
                if not self._stopping.is_set():  # set before it is woken
                    self._woken.wait()
                continue
            if not self._receiver.live.wait(0.25):
                continue
            self._succeeded = False
            try:
                self._work()
            except Exception as error:
                self._broker.meter.sending_fails.set()
                self._broker.declared_exchanges.clear()
                if not self._working:
                    continue
                fault = explain(error, self._broker)
                failures = 0 if self._succeeded else failures + 1
                # Brokers and firewalls close idle connections; a new one is opened at once.
                for one in self._active if failures or fault.kind not in CLOSED else ():
                    one.failed(fault)
                # What always fails, as a permission is missing, must not keep the others waiting.
                self._pollers = tuple(sorted(self._pollers, key=self._active.__contains__))
                if failures:
                    self._active[0].note("warning", f"Polling failed: {fault}")
                    self._stopping.wait(backoff(failures, 1.0, MAX_RETRY_DELAY))

    def _work(self) -> None:
        self._active = self._pollers
        with self._broker.connection() as connection:
            for one in self._pollers:
                one.opened(connection)
            while self._working and any(one.wanted for one in self._pollers):
                self._woken.clear()
                delay = min([self._poll(one, connection) for one in self._pollers])
                self._succeeded = True
                if self._working:  # it changes before `wake`, which the poll may have missed
                    self._woken.wait(delay)
            if self._receiver.live.is_set():
                for one in self._pollers:
                    one.closing(connection)

    def _poll(self, poller: Poller, connection: Connection) -> float:
        self._active = (poller,)
        if not self._broker.is_amqp:
            return poller.poll_now(connection)
        # py-amqp has no timeout for replies: over a connection that a firewall dropped, it hangs.
        with self._broker.meter.limit(POLL_TIMEOUT + POLL_ROUND_TRIPS * self._broker.round_trip):
            return poller.poll_now(connection)
