"""The event stream: one thread that listens, survives whatever the network does, and tells."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...model.entities.broker import BrokerPhase
from ...model.observations import ConnectionChanged, Fault, LogMessage
from ...model.wire.events import EventBatch, decode
from ..connection.backoff import backoff
from ..connection.broker import BrokerConnection
from ..connection.errors import Silent, explain
from ..connection.remote_control import RemoteControl
from ..inbox import Inbox
from .open_tasks import OpenTasks
from .roster import Roster
from .subscription import Stream, subscribe

if TYPE_CHECKING:
    from kombu.connection import Connection

HEARTBEAT: Final = 10.0
"""Seconds between AMQP heartbeats; two missed ones end the connection."""
SILENCE: Final = 10
"""Seconds without any message after which a Redis subscription is asked whether it is alive."""
FIRST_RETRY: Final = 0.5
LONGEST_RETRY: Final = 15.0
"""Seconds between two tries to connect: doubled each time, up to this."""
STEADY: Final = 5.0
"""Seconds that a connection must last for the next failure to count as a first one."""
STEP: Final = 0.5
"""Seconds between two looks at whether to stop."""


GATHER: Final = 0.01
"""Seconds in which messages gather before they are read: to wake for each costs more than to read
it. Nobody sees the delay, and the sockets hold far more than comes in that time."""


class Receiver(threading.Thread):
    """Hears all events of the cluster and leaves them, decoded, in the inbox.

    Args:
        broker: Where to listen.
        inbox: Where to leave what is heard.
        roster: Told who was heard.
        clock: Our clock, in epoch seconds.
        unfinished: Told which tasks begin and end.
    """

    def __init__(
        self,
        broker: BrokerConnection,
        inbox: Inbox,
        roster: Roster,
        clock: Callable[[], float] = time.time,
        unfinished: OpenTasks | None = None,
    ) -> None:
        super().__init__(name="celtop-receiver", daemon=True)
        self._broker = broker
        self._inbox = inbox
        self._roster = roster
        self._clock = clock
        self._unfinished = unfinished if unfinished is not None else OpenTasks()
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._doubted = False
        self._next_check = 0.0
        self._warned: set[str] = set()
        self.live = threading.Event()
        """Set while events are being received."""
        self.connects = 0
        """How often it went live."""

    def stop(self) -> None:
        """Ask the thread to end; it removes its queue from the broker first."""
        self._stopping.set()
        self._woken.set()

    def retry(self) -> None:
        """Try at once to connect, if it waits for the next time to try."""
        self._woken.set()

    def doubt(self) -> None:
        """Have the connection torn down and made anew: workers are there and nothing is heard."""
        self._doubted = True

    def run(self) -> None:
        """Listen until stopped; connect again, for ever, when the connection fails."""
        self._tell("connecting")
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._listen()
            except Exception as error:
                was_live = self.live.is_set()
                self.live.clear()
                if self._stopping.is_set():
                    return
                if was_live:
                    # Whatever else waits on this broker waits in vain.
                    self._broker.wire.cut()
                    self._roster.connection_lost()
                steady = was_live and time.monotonic() - started > STEADY
                failures = 0 if steady else failures
                # Jitter: many monitors must not come back to a broker in step.
                jitter = random.uniform(0.75, 1.0)
                delay = jitter * backoff(failures, FIRST_RETRY, LONGEST_RETRY)
                self._tell("lost", explain(error, self._broker), delay)
                self._broker.fail_over()
                failures += 1
                self._woken.clear()
                if not self._stopping.is_set():
                    self._woken.wait(delay)

    def _tell(
        self, phase: BrokerPhase, fault: Fault | None = None, retry_in: float | None = None
    ) -> None:
        url, transport = self._broker.shown_url, self._broker.scheme
        self._inbox.put(ConnectionChanged(phase, self._clock(), fault, retry_in, url, transport))

    def _listen(self) -> None:
        """Connect and receive until stopped.

        Raises:
            Exception: Whatever ended the connection.
        """
        connection = self._broker.connect(HEARTBEAT if self._broker.is_amqp else 0.0, SILENCE)
        try:
            self._doubted = False
            stream = subscribe(connection, self._broker.settings.event_exchange, self._on_body)
            self._went_live(connection)
            while not self._stopping.is_set():
                stream.drain(STEP)
                self._check(stream)
                time.sleep(GATHER)
            stream.close()
            connection.release()
        except BaseException:
            # Never a polite close here: over a dead link it would wait for an answer for ever.
            connection.collect()
            raise

    def _went_live(self, connection: Connection) -> None:
        self.connects += 1
        self._tell("live")
        doubt = self._broker.certificate_doubt()
        if doubt and doubt not in self._warned:
            self._warned.add(doubt)
            self._inbox.put(LogMessage("warning", "broker", doubt, self._clock()))
        self._roster.last_seen_at = time.monotonic()
        # Every worker answers this with a heartbeat at once, even one that sends none by itself.
        RemoteControl(connection, self._broker.settings.control_exchange, ["json"]).tell(
            "heartbeat"
        )
        self.live.set()

    def _check(self, stream: Stream) -> None:
        """Look once a second whether the connection, quiet or busy, is alive at both ends."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + 1.0
        if self._doubted:
            raise Silent("workers answer, and none of their heartbeats arrives")
        stream.check()

    def _on_body(self, body: bytes, content_type: str) -> None:
        at = self._clock()
        if content_type == "application/json":
            heard = decode(body, at)
        else:
            heard = EventBatch((), at, (f"not decoded ({content_type})",))
        self._inbox.put(heard)
        if heard.events:
            self._unfinished.heard(heard.events)
            self._roster.heard(heard.events[0])
