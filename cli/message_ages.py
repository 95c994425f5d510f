"""Bounds of the ages of waiting messages, from what earlier checks have seen in their queues."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from .exit_codes import CommandError
from .session import peek

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.health.message_marks import AgeBounds
    from ..model.observations import WaitingMessage

MAX_MESSAGES: Final = 2_000
"""Next messages of a queue that are read."""


def message_ages(session: Session, queues: Iterable[str]) -> dict[str, AgeBounds]:
    """Return bounds of the ages of the messages in some queues, and remember the messages.

    On Redis the messages are read; elsewhere only an empty queue shows anything. A file that cannot
    be written leaves the next check without memory.
    """
    from ..files.queue_marks import QueueMarks
    from ..model.health.message_marks import read_marks

    remembered, marks, ages = QueueMarks(session.cluster), {}, {}
    for name in queues:
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
        marks[name], ages[name] = read_marks(before, messages, time.time(), complete=complete)
    if marks:
        with contextlib.suppress(OSError):
            remembered.remember(marks)
    return ages
