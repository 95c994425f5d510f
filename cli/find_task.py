"""A task looked for everywhere, for the commands about one task."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from .exit_codes import Misuse
from .session import BUDGET, pump_until, settle

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.lookup import TaskLookup

REACH_WITHIN: Final = 5.0
"""Seconds for a broker that refuses at first."""
SEARCH_WITHIN: Final = 15.0
"""Seconds for all places together: a worker of the solo pool answers between two tasks."""
LONGEST_ID: Final = 1_000


def check_id(id_: str) -> None:
    """Refuse what can be no task's id.

    Raises:
        Misuse: It is empty, or much too long.
    """
    if not 0 < len(id_) <= LONGEST_ID:
        raise Misuse("ID is the id of a task, as Celery makes them")


def look_everywhere(session: Session, id_: str) -> TaskLookup | None:
    """Look for a task at the workers, in queues and in the result backend; the model learns of it.

    Returns:
        None if that took too long.
    """
    asked = session.find_task(id_)
    if not pump_until(session, SEARCH_WITHIN, asked.done):
        return None
    found = asked.result()
    while session.pump(time.time(), BUDGET).more:
        pass
    return found


def learn(session: Session) -> None:
    """Wait until it is known who is there: which workers, queues and result backend."""
    settle(session)
