"""A session for one headless command, pumped while the command waits."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from .. import garbage
from .exit_codes import BrokerUnreachable, CommandError, InvalidUsage, TimedOut
from .interrupts import clean_exit
from .output import stderr
from .output.findings import report_incomplete
from .output.status_line import status_line

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..cluster.session import Session
    from ..model.entities.broker import Broker
    from ..model.entities.fault import Fault
    from ..model.observations import QueuePeeked
    from ..settings import Settings

CONNECT_TIMEOUT: Final = 5.0
"""Seconds to retry a broker that refuses connections."""
SILENT_BROKER_TIMEOUT: Final = 4.0
"""Further seconds for a broker that accepts connections but does not reply."""
MAX_CONNECT_TIMEOUT: Final = 60.0
"""Seconds to connect to a broker that replies, but slowly."""
REPLY_TIMEOUT: Final = 3.0
"""Seconds for one round of replies from workers and queues."""
REPLY_ROUND_TRIPS: Final = 35.0
"""Round trips to the broker that this takes besides."""
LOOKUP_TIMEOUT: Final = 60.0
"""Seconds for the broker or the result backend to complete a long lookup."""
STATUS_INTERVAL: Final = 1.0
"""Seconds after which a long lookup is shown, and between two updates of the line."""
PUMP_BUDGET: Final = 0.05
"""Seconds of applying observations between two checks of the deadline."""
PUMP_INTERVAL: Final = 0.02
"""Seconds between two checks of an empty inbox."""
MEASURED_AGAIN_AFTER: Final = 5.0
"""Seconds of collecting after which queues are measured again, which shows their rates; after more,
workers are inspected again as well. Both cost commands for each worker and queue."""
CONNECTION_LOST: Final = "Lost the connection to the broker; reconnecting"
CONNECTED_AGAIN: Final = "Connected to the broker again"
STOP_TIMEOUT: Final = 5.0
"""Seconds at most for the session's threads to end, and to leave task events as found."""

T = TypeVar("T")


@contextlib.contextmanager
def open_session(
    settings: Settings, *, inspect: bool = True, report: bool = True, one_shot: bool = False
) -> Iterator[Session]:
    """Start a session, and stop it when the block ends, also by a signal.

    Args:
        settings: The settings.
        inspect: Whether to inspect workers.
        report: Whether to report findings that make the output incomplete, on stderr, at the end
            of the block.
        one_shot: Whether workers and queues are polled only at the start and on `refresh`.
    """
    from ..cluster.session import Session

    session = Session(settings, one_shot=one_shot)
    if not one_shot:
        garbage.resume()
    with clean_exit():
        try:
            session.start(inspect=inspect)
            yield session
            if report:
                report_incomplete(session.state, time.time())
        finally:
            session.stop(STOP_TIMEOUT)


def connect(session: Session) -> None:
    """Wait until the broker, the workers and the queues have replied.

    Raises:
        BrokerUnreachable: The broker did not reply.
    """
    wait_for_broker(session, CONNECT_TIMEOUT)
    wait_for_replies(session)


def collect(session: Session, seconds: float) -> None:
    """Collect events for `seconds`, and the replies of workers and queues.

    Raises:
        BrokerUnreachable: The broker did not reply.
    """
    wait_for_broker(session, seconds)
    listen(session, seconds)
    if seconds >= MEASURED_AGAIN_AFTER:
        session.refresh(workers=seconds > MEASURED_AGAIN_AFTER)
    wait_for_replies(session)


def pump_until(session: Session, seconds: float, done: Callable[[], bool]) -> bool:
    """Apply observations until `done` returns true or the time is over; return whether it did."""
    deadline = time.monotonic() + seconds
    second = 0
    while True:
        now = time.time()
        more = session.pump(now, PUMP_BUDGET).more
        if int(now) != second:
            second = int(now)
            session.tick(now)
        if not more and done():
            return True
        if time.monotonic() >= deadline:
            return False
        if not more:
            time.sleep(PUMP_INTERVAL)


def wait_for_broker(session: Session, seconds: float, maximum: float = MAX_CONNECT_TIMEOUT) -> None:
    """Wait until the broker is connected; it may have been lost again in the same moment.

    Args:
        session: A session that was started.
        seconds: How long to retry a broker that refuses connections.
        maximum: Seconds for a broker that replies slowly, or not at all.

    Raises:
        InvalidUsage: The settings or the installation are at fault.
        BrokerUnreachable: It refused for `seconds`, or did not reply for longer.
    """
    broker = session.state.broker

    def decided() -> bool:
        return _was_reached(broker) or (broker.fault is not None and broker.fault.is_configuration)

    pump_until(session, seconds, decided)
    if broker.fault is None and not _was_reached(broker):
        _wait_while_it_replies(session, maximum - seconds)
    if not _was_reached(broker):
        raise unusable(broker.url, broker.fault)


def _was_reached(broker: Broker) -> bool:
    return broker.is_connected or broker.live_since is not None


def unusable(url: str, fault: Fault | None) -> CommandError:
    """Return the error of a broker, by its masked URL, that cannot be used."""
    reason = fault or "It has not replied in time"
    error = InvalidUsage if fault is not None and fault.is_configuration else BrokerUnreachable
    return error(f"Cannot use the broker {url}. {reason}")


def _wait_while_it_replies(session: Session, seconds: float) -> None:
    """Wait for the connection as long as the broker replies: each reply leads to a new command."""
    broker = session.state.broker
    deadline = time.monotonic() + seconds
    sent, sent_at = session.commands_sent, time.monotonic()

    def decided() -> bool:
        nonlocal sent, sent_at
        now = time.monotonic()
        if session.commands_sent != sent:
            sent, sent_at = session.commands_sent, now
        silent = now - sent_at > SILENT_BROKER_TIMEOUT or now > deadline
        return silent or _was_reached(broker) or broker.fault is not None

    pump_until(session, seconds, decided)


class ConnectionReports:
    """Reports on stderr when the broker is lost, why, and when it is connected again.

    Args:
        session: The session, which tries to connect again until it is stopped.
        note: Prints a line.
    """

    def __init__(self, session: Session, note: Callable[[str], object] = stderr.echo) -> None:
        self._session = session
        self._note = note
        self._was_connected = True
        self._reported: set[str] = set()
        """The kinds of faults that were reported since the broker was lost."""

    def __call__(self) -> None:
        """Check the connection; call it regularly."""
        broker = self._session.state.broker
        if broker.is_connected != self._was_connected:
            self._was_connected = broker.is_connected
            self._reported.clear()
            self._note(CONNECTED_AGAIN if broker.is_connected else CONNECTION_LOST)
        fault = None if broker.is_connected else broker.fault
        if fault is not None and fault.kind not in self._reported:
            self._reported.add(fault.kind)
            self._note(str(fault))


def require_broker(session: Session) -> None:
    """Check at the end of a command that runs on that nothing was missed up to now.

    Raises:
        BrokerUnreachable: The connection to the broker is lost.
    """
    broker = session.state.broker
    if not broker.is_connected:
        raise unusable(broker.url, broker.fault)


def listen(session: Session, seconds: float) -> None:
    """Collect events for `seconds`."""
    pump_until(session, seconds, lambda: False)


def wait_for_replies(session: Session) -> None:
    """Wait until workers and queues have replied or timed out, and the replies are applied."""
    seconds = REPLY_TIMEOUT + REPLY_ROUND_TRIPS * session.round_trip
    pump_until(session, seconds, lambda: session.refreshed)
    pump_until(session, REPLY_TIMEOUT, lambda: not session.backlog and session.messages_read)


def peek(session: Session, queue: str, limit: int, task: str | None = None) -> QueuePeeked:
    """Return messages waiting in a queue, as `Lookups.peek`; how many were read is shown meanwhile.

    Raises:
        TimedOut, BrokerUnreachable, CommandError: As `wait_for`.
    """
    read = 0

    def count(number: int) -> None:
        nonlocal read
        read = number

    reading = session.lookups.peek(queue, limit, task, progress=count)
    return wait_for(session, reading, f"queue {queue}", lambda: f"{read:,} messages, ")


def wait_for(
    session: Session, future: Future[T], what: str, progress: Callable[[], str] = str
) -> T:
    """Return the result of a lookup of `what`; observations are applied meanwhile.

    After a second, the status line shows it, with the text that `progress` returns.

    Raises:
        TimedOut: It took more than LOOKUP_TIMEOUT.
        BrokerUnreachable: The connection to the broker was lost.
        CommandError: The lookup failed.
    """
    started = time.monotonic()
    with status_line() as show:
        while not pump_until(session, STATUS_INTERVAL, future.done):
            elapsed = int(time.monotonic() - started)
            if elapsed >= LOOKUP_TIMEOUT:
                break
            show(f"Reading {what} ({progress()}{elapsed} s)")
    if not future.done():
        raise TimedOut(f"Cannot read {what}: no reply within {LOOKUP_TIMEOUT:g} s")
    try:
        return future.result()
    except Exception as error:
        from ..model.text.passwords import mask_text

        broker = session.state.broker
        if not broker.is_connected and broker.fault is not None:
            raise BrokerUnreachable(f"Cannot read {what}: {broker.fault}") from error
        raise CommandError(f"Cannot read {what}: {mask_text(str(error))}") from error
