"""Finds the tasks that have finished since they were selected, before they are revoked.

A revoked id of a finished task is not harmless: workers keep it for three hours and discard every
later message with it, such as a retry; and workers before Celery 5.7 overwrite the task's result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from ....model.entities.states import REVOKED
from ....model.operations.commands import Revoke
from ....model.operations.outcome import Answer
from ...results.backends.base import ResultReader
from ...results.lookups import run_in_thread
from ..mailbox import Mailbox
from ..running import OperationContext

RECHECK_TIMEOUT: Final = 2.0
"""Seconds since the last reply after which the other workers are not waited for."""
BACKEND_TIMEOUT: Final = 3.0
"""Seconds for the result backend; without an answer, the tasks are revoked."""
BLOCK_IDS: Final = 500
"""Ids in one broadcast, and in one read of the result backend."""
TIME_ROUNDING: Final = 1.0
"""Seconds by which the stored time of an end may be too early."""


def ended_tasks(
    operation: Revoke, context: OperationContext, mailbox: Mailbox
) -> dict[str, Answer]:
    """Return the tasks that have certainly ended, with the verdict on each.

    A task has ended if its events or the result backend show it and no worker has it, or if the
    worker that was running it no longer has it.
    """
    ids = tuple(dict.fromkeys(operation.ids))
    known = context.known_targets
    finished: dict[str, str] = dict(known.finished)
    if context.results is not None:
        others = [id_ for id_ in ids if id_ not in finished]
        finished |= _finished_in_backend(context.results(), others, known.begun_at)
    running = {
        id_: known.running[id_]
        for id_ in (ids if operation.terminate else ())
        if id_ in known.running and id_ not in finished
    }
    if not finished and not running:
        return {}
    held, replied = _held(mailbox, (*finished, *running), operation.workers)
    gone = {id_: name for id_, name in running.items() if id_ not in held and name in replied}
    if gone:
        scheduled = _scheduled(mailbox, sorted(set(gone.values())))
        gone = {id_: name for id_, name in gone.items() if id_ not in scheduled}
    answers = {
        id_: Answer("refused", f"already finished ({state})")
        for id_, state in finished.items()
        if id_ not in held
    }
    return answers | {
        id_: Answer("refused", f"no longer running on {name}") for id_, name in gone.items()
    }


def _finished_in_backend(
    reader: ResultReader, ids: Sequence[str], begun_at: Mapping[str, float]
) -> dict[str, str]:
    """Return the states of tasks that have finished by the result backend.

    A backend that is slow or cannot be read must not keep a task from being revoked.
    """
    if reader.unavailable is not None:
        return {}
    with suppress(Exception):
        return run_in_thread(lambda: _read_finished(reader, ids, begun_at)).result(BACKEND_TIMEOUT)
    return {}


def _read_finished(
    reader: ResultReader, ids: Sequence[str], begun_at: Mapping[str, float]
) -> dict[str, str]:
    """Read the states of finished tasks.

    REVOKED does not count: it is stored at once, while the message still waits.
    """
    found: dict[str, str] = {}
    for start in range(0, len(ids), BLOCK_IDS):
        for id_, meta in reader.read(ids[start : start + BLOCK_IDS]).items():
            begun, done = begun_at.get(id_), meta.done_at
            again = begun is not None and done is not None and begun > done + TIME_ROUNDING
            if meta.ready and meta.status not in (None, REVOKED) and not again:
                found[id_] = str(meta.status)
    return found


def _held(
    mailbox: Mailbox, ids: Sequence[str], workers: Sequence[str]
) -> tuple[set[str], set[str]]:
    """Return the tasks that workers have, and the workers that have replied about all."""
    held: set[str] = set()
    replied = set(workers)
    for start in range(0, len(ids), BLOCK_IDS):
        replies = mailbox.ask(
            "query_task",
            {"ids": list(ids[start : start + BLOCK_IDS])},
            expected=[name for name in workers if name in replied],
            timeout=RECHECK_TIMEOUT,
        )
        for reply in replies.values():
            if isinstance(reply.value, dict):
                held |= reply.value.keys()
        replied &= {name for name, reply in replies.items() if reply.error is None}
    return held, replied


def _scheduled(mailbox: Mailbox, workers: Sequence[str]) -> set[str]:
    """Return the tasks that wait in workers for their next attempt; `query_task` omits these."""
    replies = mailbox.ask("scheduled", None, workers, expected=workers, timeout=RECHECK_TIMEOUT)
    entries = [
        entry
        for reply in replies.values()
        if isinstance(reply.value, list)
        for entry in reply.value
        if isinstance(entry, dict) and isinstance(entry.get("request"), dict)
    ]
    return {str(entry["request"].get("id")) for entry in entries}
