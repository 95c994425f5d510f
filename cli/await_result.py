"""Waiting for a task to end: by the result backend or, where that is mute, by its events.

A result goes to stdout, a failure to stderr, and either decides the exit code.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from . import stderr
from .exit_codes import ExitCode
from .session import listen, pump_until
from .stdout import write

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..export.outcome import ResultRecord
    from ..model.entities.result import ResultMeta

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0
"""Seconds between two questions to the result backend: ever longer, within these bounds."""
AFTER_THE_END: Final = 2.0
"""Seconds for the backend to tell a result after the event of the end was heard."""


def await_result(session: Session, id_: str, seconds: float) -> ResultRecord | None:
    """Return how a task ended, with its result; None if it has not within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while True:
        asked: Future[ResultMeta | None] = session.result(id_)
        if not pump_until(session, deadline - time.monotonic(), asked.done):
            return _heard(session, id_, "the result backend does not answer")
        if (error := asked.exception()) is not None:
            pump_until(session, deadline - time.monotonic(), lambda: _ended(session, id_))
            return _heard(session, id_, f"the result backend cannot be read ({error})")
        meta = asked.result()
        if meta is not None and meta.ready:
            return kept(meta)
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return _heard(session, id_, "the result backend has no result")
        if _ended(session, id_):
            # Without results (`ignore_result`) the event is all that there ever will be.
            deadline = min(deadline, time.monotonic() + AFTER_THE_END)
            listen(session, min(pause, remaining))
        else:
            pump_until(session, min(pause, remaining), lambda: _ended(session, id_))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _ended(session: Session, id_: str) -> bool:
    task = session.state.tasks.get(id_)
    return task is not None and task.finished


def kept(meta: ResultMeta) -> ResultRecord:
    """Return what the result backend keeps of a task that has ended."""
    import msgspec

    from ..export.outcome import ResultRecord, encode_value

    return ResultRecord(
        id=meta.id,
        status=meta.status or "",
        value=msgspec.Raw(encode_value(meta.result if meta.status == "SUCCESS" else None)),
        exception=meta.exception,
        traceback=meta.traceback,
        source="backend",
        note=f"its result cannot be shown: {meta.undecoded}" if meta.undecoded else None,
    )


def _heard(session: Session, id_: str, why: str) -> ResultRecord | None:
    """Return what the task's last event told; None if it has not ended."""
    import msgspec

    from ..export.outcome import ResultRecord, encode_value

    task = session.state.tasks.get(id_)
    if task is None or not task.finished:
        return None
    return ResultRecord(
        id=id_,
        status=task.state,
        value=msgspec.Raw(encode_value(task.result)),
        exception=task.exception,
        traceback=task.traceback,
        source="event",
        note=f"{why}: this is the text in its event, as Python writes it, and may be cut",
    )


def print_result(result: ResultRecord | None) -> ExitCode:
    """Print a result on stdout, a failure on stderr; None is one that did not come in time."""
    if result is None:
        stderr.say("it has not ended in time; it may still run")
    elif result.status == "SUCCESS":
        if result.note:
            stderr.say(result.note)
        write(_shown(bytes(result.value)) + b"\n")
    else:
        stderr.say(f"{result.status}: {result.exception or 'no reason is known'}")
        if result.traceback:
            stderr.say(result.traceback)
    return result_code(result)


def result_code(result: ResultRecord | None) -> ExitCode:
    """Return what tells a script how it ended."""
    if result is None:
        return ExitCode.TIMEOUT
    return ExitCode.OK if result.status == "SUCCESS" else ExitCode.NO


def _shown(value: bytes) -> bytes:
    """Return JSON that a terminal does not obey: it would, some characters that JSON lets stand."""
    import json
    import sys

    return json.dumps(json.loads(value)).encode() if sys.stdout.isatty() else value
