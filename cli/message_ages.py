"""Bounds of the ages of waiting messages, from what earlier checks have seen in their queues."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .exit_codes import CommandError
from .session import peek
from .stored import open_history

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.health.message_marks import AgeBounds
    from ..model.observations import WaitingMessage

MAX_MESSAGES: Final = 2_000
"""Next messages of a queue that are read."""


def message_ages(session: Session, queues: Mapping[str, float]) -> dict[str, AgeBounds]:
    """Return bounds of the ages of the messages in some queues, and remember the messages.

    On Redis the messages are read; elsewhere only an empty queue shows anything. If no earlier
    check has seen the queue empty, a collector may have. A file that cannot be written leaves the
    next check without memory.

    Args:
        session: The session.
        queues: The queues, and the age in seconds up to which it matters.
    """
    import msgspec

    from ..files.queue_marks import QueueMarks
    from ..model.health.message_marks import read_marks

    remembered, marks, ages = QueueMarks(session.cluster), {}, {}
    for name, limit in queues.items():
        queue = session.state.queues.get(name)
        if queue is None or queue.waiting is None:
            continue
        messages: tuple[WaitingMessage, ...] = ()
        complete = not queue.waiting
        if queue.waiting and session.state.broker.family == "redis":
            try:
                seen = peek(session, name, MAX_MESSAGES)
            except CommandError:
                continue  # the depth and its own age are still compared
            messages, complete = seen.messages, seen.complete and not seen.notes
        before = remembered.of(name)
        if before.newer_than is None and messages:
            empty_at = _last_empty(session, name, limit)
            before = msgspec.structs.replace(before, newer_than=empty_at)
        marks[name], ages[name] = read_marks(before, messages, time.time(), complete=complete)
    if marks:
        with contextlib.suppress(OSError):
            remembered.remember(marks)
    return ages


def _last_empty(session: Session, queue: str, seconds: float) -> float | None:
    """Return a time at which a queue was empty within the last `seconds`, by the history."""
    from ..history.rows import MINUTE

    now = time.time()
    with open_history(session.settings) as store:
        if store is not None:
            values = store.series(session.cluster, "queue", queue, now - seconds, now, MINUTE)
            first = int((now - seconds) // MINUTE) + 1
            # The first minute began before that, and values are means: 0 is empty all the time.
            for number, waiting in reversed([*enumerate(values.get("waiting", ())[1:])]):
                if waiting == 0.0:
                    return float((first + number) * MINUTE)
    return None
