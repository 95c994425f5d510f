"""Looking up one task everywhere, for `celtop task` and `celtop watch`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ..exit_codes import InvalidUsage
from ..session import PUMP_BUDGET, pump_until

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...model.lookup import TaskLookup

FIND_TIMEOUT: Final = 15.0
"""Seconds for all places together: a worker with a solo pool replies only between two tasks."""
MAX_ID_LENGTH: Final = 1_000


def check_id(id_: str) -> None:
    """Refuse a text that cannot be a task id.

    Raises:
        InvalidUsage: It is empty or too long.
    """
    if not 0 < len(id_) <= MAX_ID_LENGTH:
        raise InvalidUsage(f"Invalid task id: it must have 1 to {MAX_ID_LENGTH:,} characters")


def find_task(session: Session, id_: str) -> TaskLookup | None:
    """Look for a task everywhere and add it to the model; None after FIND_TIMEOUT."""
    lookup = session.lookups.find_task(id_)
    if not pump_until(session, FIND_TIMEOUT, lookup.done):
        return None
    found = lookup.result()
    while session.pump(time.time(), PUMP_BUDGET).more:
        pass
    return found
