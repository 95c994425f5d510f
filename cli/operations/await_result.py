"""Waits for a task to finish, by the result backend or, if that cannot be read, by its events.

A result is printed on stdout, a failure on stderr, and both decide the exit code.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ..exit_codes import ExitCode
from ..output import stderr
from ..output.stdout import write
from ..session import listen, pump_until

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ...cluster.session import Session
    from ...export.outcome import ResultRecord
    from ...model.entities.result import ResultMeta

MIN_POLL_INTERVAL: Final = 0.1
MAX_POLL_INTERVAL: Final = 2.0
"""Seconds between two reads of the result backend; the interval grows from one to the other."""
POLL_BACKOFF: Final = 1.5
LATE_RESULT_TIMEOUT: Final = 2.0
"""Seconds for the result to be stored after the event of the task's end."""


def await_result(session: Session, id_: str, seconds: float) -> ResultRecord | None:
    """Return how a task finished, with its result; None if it has not within `seconds`."""
    deadline = time.monotonic() + seconds
    interval = MIN_POLL_INTERVAL
    while True:
        lookup: Future[ResultMeta | None] = session.lookups.result(id_)
        if not pump_until(session, deadline - time.monotonic(), lookup.done):
            return _event_record(session, id_, "The result backend does not reply")
        if (error := lookup.exception()) is not None:
            pump_until(session, deadline - time.monotonic(), lambda: _finished(session, id_))
            return _event_record(session, id_, f"Cannot read the result backend ({error})")
        meta = lookup.result()
        if meta is not None and meta.ready:
            return backend_record(meta)
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return _event_record(session, id_, "The result backend has no result")
        if _finished(session, id_):
            # With `ignore_result` the event is all there will ever be.
            deadline = min(deadline, time.monotonic() + LATE_RESULT_TIMEOUT)
            listen(session, min(interval, remaining))
        else:
            pump_until(session, min(interval, remaining), lambda: _finished(session, id_))
        interval = min(interval * POLL_BACKOFF, MAX_POLL_INTERVAL)


def _finished(session: Session, id_: str) -> bool:
    task = session.state.tasks.get(id_)
    return task is not None and task.finished


def backend_record(meta: ResultMeta) -> ResultRecord:
    """Return how a task finished, from its entry in the result backend."""
    import msgspec

    from ...export.outcome import ResultRecord, encode_value

    return ResultRecord(
        id=meta.id,
        status=meta.status or "",
        value=msgspec.Raw(encode_value(meta.result if meta.status == "SUCCESS" else None)),
        exception=meta.exception,
        traceback=meta.traceback,
        source="backend",
        note=f"Cannot decode the result: {meta.undecoded}" if meta.undecoded else None,
    )


def _event_record(session: Session, id_: str, reason: str) -> ResultRecord | None:
    """Return how a task finished, from its last event; None if it has not."""
    import msgspec

    from ...export.outcome import ResultRecord, encode_value

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
        note=f"{reason}; this is the result's repr from the task's event, possibly truncated",
    )


def print_result(result: ResultRecord | None) -> ExitCode:
    """Print a result on stdout or a failure on stderr; None is a task that has not finished."""
    if result is None:
        stderr.echo("Timed out waiting for the result; the task may still finish")
    elif result.status == "SUCCESS":
        if result.note:
            stderr.echo(result.note)
        write(_safe_for_terminal(bytes(result.value)) + b"\n")
    else:
        stderr.echo(f"{result.status}: {result.exception or 'reason unknown'}")
        if result.traceback:
            stderr.echo(result.traceback)
    return result_code(result)


def result_code(result: ResultRecord | None) -> ExitCode:
    """Return the exit code of a task's result."""
    if result is None:
        return ExitCode.TIMEOUT
    return ExitCode.OK if result.status == "SUCCESS" else ExitCode.FAILED


def _safe_for_terminal(value: bytes) -> bytes:
    """Return JSON without the control characters that JSON allows and a terminal obeys."""
    import json
    import sys

    return json.dumps(json.loads(value)).encode() if sys.stdout.isatty() else value
