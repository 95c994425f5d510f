"""The receiver: one thread that consumes events and reconnects after every network failure."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from ...model.entities.broker import BrokerPhase
from ...model.entities.fault import Fault
from ...model.observations import ConnectionChanged, ConnectionProved
from ...model.wire.events import EventBatch, decode
from ..connection.alarms import alarm, refusal
from ..connection.backoff import backoff
from ..connection.broker import BrokerConnection
from ..connection.faults.diagnosis import diagnose
from ..connection.faults.errors import Unresponsive, explain
from ..connection.mailboxes import NO_WORKER
from ..connection.remote_control import RemoteControl
from ..glibc import release_memory
from ..inbox import MAX_DECODED_EVENTS, Inbox
from ..stoppable_thread import StoppableThread
from .event_exchange import EventExchange
from .open_tasks import OpenTasks
from .roster import Roster
from .subscription import Subscription, idle, subscribe

if TYPE_CHECKING:
    from kombu.connection import Connection

HEARTBEAT_INTERVAL: Final = 10.0
"""Seconds between AMQP heartbeats; two missed ones end the connection."""
PING_AFTER: Final = 10.0
"""Seconds without a message before a Redis subscription is pinged."""
FIRST_RETRY_DELAY: Final = 0.5
MAX_RETRY_DELAY: Final = 15.0
"""Seconds between two attempts to connect: doubled each time, up to this."""
STABLE_AFTER: Final = 5.0
"""Seconds that a connection must last for the retry delay to start over."""
CHECK_INTERVAL: Final = 1.0
"""Seconds between two checks of the connection."""
ATTEMPT_INTERVAL: Final = 5.0
"""Seconds between two attempts to send something while heartbeats or replies are missing."""
ROUTINE_INTERVAL: Final = 30.0
"""The same while nothing is missing: workers may send no heartbeats."""
LARGE_BACKLOG: Final = 5_000
"""Waiting events whose messages leave several MiB of freed memory when they have been applied."""
BATCH_WINDOW: Final = 0.02
"""Seconds in which messages collect before they are read: waking up for each one costs more than
reading it. The delay is invisible, and the socket holds far more messages than arrive meanwhile."""
BURST_GAP: Final = 0.25
"""Seconds between two messages up to which more of them are expected soon."""


class Receiver(StoppableThread):
    """Receives the cluster's events and puts them, decoded, into the inbox.

    Args:
        broker: The broker.
        inbox: Where the events go.
        roster: The workers, queues and exchanges that are found.
        open_tasks: The tasks that have not ended.
        listens: Whether to receive events; without, only the connection is watched.
    """

    def __init__(
        self,
        broker: BrokerConnection,
        inbox: Inbox,
        roster: Roster,
        open_tasks: OpenTasks,
        *,
        listens: bool = True,
    ) -> None:
        super().__init__("receiver")
        self._listens = listens
        self._broker = broker
        self._inbox = inbox
        self._roster = roster
        self._open_tasks = open_tasks
        self._reconnect = False
        self._prove = False
        self._next_check = 0.0
        self._backlogged = False
        self._attempt_at = 0.0
        self._subscription: Subscription | None = None
        self.call_on_change: Callable[[], object] = lambda: None
        """Called, in the thread of the receiver, after the connection has come up or was lost."""
        self.live = threading.Event()
        """Set while events are being received."""
        self.connect_count = 0
        """Number of connections so far."""

    def retry_now(self) -> None:
        """Try to connect now if it is waiting for the next attempt."""
        self._woken.set()

    def stop(self) -> None:
        """Ask the thread to end."""
        super().stop()
        self._wake()

    def prove_soon(self) -> None:
        """Have something sent over the event connection within half a second, if it works."""
        self._prove = True
        self._wake()

    def reconnect(self) -> None:
        """Replace the connection: workers reply, but their events do not arrive."""
        self._reconnect = True
        self._wake()

    def _wake(self) -> None:
        if (subscription := self._subscription) is not None:
            subscription.wake()

    def run(self) -> None:
        """Receive events until stopped, reconnecting after each failure."""
        self._report("connecting")
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._listen()
            except Exception as error:
                was_live = self.live.is_set()
                self.live.clear()
                self._broker.declared_exchanges.clear()
                if self._stopping.is_set():
                    return
                self.call_on_change()
                if was_live:
                    # Other threads wait for replies of this broker that will not come.
                    self._broker.meter.cut()
                    self._roster.connection_lost()
                steady = was_live and time.monotonic() - started > STABLE_AFTER
                failures = 0 if steady else failures
                # Jitter: many monitors must not reconnect to a broker at the same moment.
                jitter = random.uniform(0.75, 1.0)
                delay = jitter * backoff(failures, FIRST_RETRY_DELAY, MAX_RETRY_DELAY)
                self._report("lost", diagnose(error, self._broker, _attempt), delay)
                self._broker.fail_over()
                failures += 1
                self._woken.clear()
                if not self._stopping.is_set():
                    self._woken.wait(delay)

    def _report(
        self, phase: BrokerPhase, fault: Fault | None = None, retry_in: float | None = None
    ) -> None:
        self._broker.blocked = fault if phase == "blocked" else None
        url, transport = self._broker.shown_url, self._broker.scheme
        unverified = self._broker.unverified() if phase in ("live", "blocked") else None
        self._inbox.put(
            ConnectionChanged(phase, time.time(), fault, retry_in, url, transport, unverified)
        )

    def _listen(self) -> None:
        """Connect and receive until stopped.

        Raises:
            Exception: Any error that ended the connection.
        """
        connection = self._broker.connect(HEARTBEAT_INTERVAL if self._broker.is_amqp else 0.0)
        try:
            self._reconnect = False
            exchange = self._broker.settings.event_exchange
            events = EventExchange(connection, exchange, self._on_body, self._on_unreadable)
            subscription = subscribe(events, PING_AFTER) if self._listens else idle(connection)
            self._subscription, received_at = subscription, 0.0
            control = self._went_live(connection)
            while not self._stopping.is_set():
                received = subscription.drain(max(0.0, self._next_check - time.monotonic()))
                self._check(connection, subscription, control)
                if received:
                    received_before, received_at = received_at, time.monotonic()
                    if received_at - received_before < BURST_GAP:
                        time.sleep(BATCH_WINDOW)
            subscription.close()
            if self._broker.blocked is None:
                connection.release()
            else:
                # A blocked connection is not closed cleanly: the broker would not read that.
                connection.collect()
        except BaseException:
            # No clean close: over a dead connection it would wait for a reply forever.
            connection.collect()
            raise

    def _went_live(self, connection: Connection) -> RemoteControl:
        self.connect_count += 1
        self._report("live")
        self._roster.last_event_at = time.monotonic()
        control = RemoteControl(connection, self._broker)
        self._set_blocked(refusal(connection, self._broker))
        self._attempt_at = time.monotonic()
        if self._broker.blocked is None and self._listens:
            # Every worker replies with a heartbeat at once, even one that sends none by itself.
            self._request_heartbeats(control)
        self.live.set()
        self.call_on_change()
        return control

    def _request_heartbeats(
        self, control: RemoteControl, names: Sequence[str] | None = None
    ) -> None:
        """Have workers send a heartbeat; without the permission to, events are still received."""
        try:
            control.broadcast("heartbeat", names)
        except Exception as error:
            # The inspector, which cannot send either, reports it.
            if explain(error, self._broker).kind != "acl":
                raise

    def _check(
        self, connection: Connection, subscription: Subscription, control: RemoteControl
    ) -> None:
        """Check once a second that the connection is alive, whether it is idle or busy."""
        now = time.monotonic()
        if self._prove:
            self._prove = False
            subscription.prove()
            if self._broker.is_amqp and self._broker.blocked is None and self._listens:
                # It has no ping, but each worker replies with an event.
                control.broadcast("heartbeat")
        elif now < self._next_check:
            return
        checked_at, self._next_check = self._next_check - CHECK_INTERVAL, now + CHECK_INTERVAL
        self._check_backlog()
        if self._reconnect:
            raise Unresponsive("workers reply, but their heartbeats do not arrive")
        proved = subscription.check() and self._listens  # otherwise it proves nothing of events
        if proved and self._roster.last_event_at < checked_at:
            self._inbox.put(ConnectionProved(time.time()))
        if subscription.alarm is not None:
            self._set_blocked(alarm(subscription.alarm, self._broker))
        elif self._broker.is_amqp:
            self._set_blocked(None)
        overdue = self._roster.overdue()
        if overdue and now - self._roster.last_event_at > CHECK_INTERVAL:
            subscription.prove()
        failing = self._broker.meter.sending_fails
        if self._broker.meter.is_limited or not self._listens:
            return
        suspicious = overdue or self._broker.blocked or failing.is_set()
        if now - self._attempt_at >= (ATTEMPT_INTERVAL if suspicious else ROUTINE_INTERVAL):
            self._attempt_at = now
            failing.clear()
            if self._broker.is_redis:
                self._set_blocked(refusal(connection, self._broker))
            elif self._broker.is_amqp and self._broker.blocked is None:
                # RabbitMQ reports an alarm only to connections that publish.
                self._request_heartbeats(control, overdue or [NO_WORKER])

    def _check_backlog(self) -> None:
        """Return the memory of a backlog once it has been applied."""
        waiting = self._inbox.events
        if waiting > LARGE_BACKLOG:
            self._backlogged = True
        elif self._backlogged and waiting < MAX_DECODED_EVENTS:
            self._backlogged = False
            release_memory()

    def _set_blocked(self, fault: Fault | None) -> None:
        if fault is not None and fault != self._broker.blocked:
            self._report("blocked", fault)
        elif fault is None and self._broker.blocked is not None:
            self._report("live")
            self._roster.connection_lost()

    def _on_unreadable(self, reason: str) -> None:
        self._inbox.put(EventBatch((), time.time(), (reason,)))

    def _on_body(self, body: bytes, content_type: str) -> None:
        at = time.time()
        if content_type == "application/json":
            batch = decode(body, at)
        else:
            batch = EventBatch((), at, (f"unsupported content type {content_type}",))
        self._inbox.put(batch, body)
        if batch.events:
            self._open_tasks.apply(batch.events)
            self._roster.apply(batch.events[0])


def _attempt(broker: BrokerConnection) -> None:
    """Connect and subscribe as the receiver does, and end it at once.

    Raises:
        Exception: Any error of the transport.
    """

    def ignore(*_: object) -> None:
        pass

    with broker.connection() as connection:
        events = EventExchange(connection, broker.settings.event_exchange, ignore, ignore)
        subscribe(events, PING_AFTER).close()
