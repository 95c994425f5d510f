"""A session brought up for one command, and its model moved on while the command waits."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from .exit_codes import Unreachable

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..settings import Settings

ANSWER_PATIENCE: Final = 4.0
"""Seconds beyond `wait` for a broker that neither answers nor refuses."""
ROUND: Final = 3.0
"""Seconds at most for the answers of workers and queues to one question."""
BUDGET: Final = 0.05
"""Seconds that applying what came in may take before the deadline is looked at."""
PAUSE: Final = 0.02
"""Seconds between two looks at the inbox."""
STOP_WITHIN: Final = 1.0


@contextlib.contextmanager
def started(settings: Settings) -> Iterator[Session]:
    """Start a session, and stop it at the end, however that comes."""
    from ..cluster.session import Session

    session = Session(settings)
    try:
        session.start()
        yield session
    finally:
        session.stop(STOP_WITHIN)


def pump_until(session: Session, seconds: float, done: Callable[[], bool]) -> bool:
    """Apply what comes in until `done` is true or the time is over; tell which."""
    deadline = time.monotonic() + seconds
    second = 0
    while True:
        now = time.time()
        more = session.pump(now, BUDGET).more
        if int(now) != second:
            second = int(now)
            session.state.tick(now)
        if not more and done():
            return True
        if time.monotonic() >= deadline:
            return False
        if not more:
            time.sleep(PAUSE)


def reach(session: Session, wait: float) -> None:
    """Wait for the broker to answer.

    Raises:
        Unreachable: It refuses for `wait` seconds, or stays silent for longer.
    """
    broker = session.state.broker
    if pump_until(session, wait, lambda: broker.phase == "live"):
        return
    if broker.fault is None:
        pump_until(session, ANSWER_PATIENCE, lambda: broker.phase == "live" or bool(broker.fault))
    if broker.phase != "live":
        why = broker.fault or "it accepts connections, but does not answer"
        raise Unreachable(f"cannot reach the broker {broker.url}: {why}")


def listen(session: Session, wait: float) -> None:
    """Listen for `wait` seconds."""
    pump_until(session, wait, lambda: False)


def ask_all(session: Session) -> None:
    """Ask workers and queues now, and wait until they have answered or are given up."""
    session.refresh()
    settle(session)


def settle(session: Session) -> None:
    """Wait until all that was asked is answered or given up, and applied."""
    pump_until(session, ROUND, lambda: session.refreshed)
    pump_until(session, ROUND, lambda: not session.backlog)
