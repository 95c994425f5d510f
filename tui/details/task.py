"""Every field of a task, as labels and values for its screen."""

from __future__ import annotations

from datetime import UTC

from ...model.entities.states import FAILURE, SUCCESS, source_names
from ...model.entities.task import Task
from ...model.ingest.lost_tasks import loss_text
from ...model.text import units
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.column import Frame
from ..text.attempts import next_attempt, retried
from .retry import link_fields

_LONGEST = 300


def task_fields(
    task: Task,
    frame: Frame,
    most_retries: int | None = None,
    comes_back: float | bool = False,
) -> list[Field]:
    """Return what is known of a task; what is not known is left out, unless that says something.

    Args:
        task: The task.
        frame: The moment that is shown.
        most_retries: How often tasks of its name may be tried again, if that is known.
        comes_back: When a lost one is handed out again, by the worker's clock (`lost.comes_back`).
    """
    found = [
        Field("Id", visible(task.id, _LONGEST)),
        Field("Name", visible(task.name or "?", _LONGEST)),
        Field("State", f"{frame.glyphs.state(task.state)} {task.state}", _state_style(task)),
        Field("Worker", visible(task.worker or "?", _LONGEST)),
        Field("Queue", visible(task.queue or "?", _LONGEST)),
        *_times(task, frame),
        Field("Retries", retried(task, most_retries), "accent" if task.retries else "muted"),
        *_progress(task),
        *_extra(task),
        *_text("Root", task.root_id),
        *_text("Parent", task.parent_id),
        *_text("Group", task.group_id),
        Field("Known from", ", ".join(source_names(task.sources)) or "?", "muted"),
    ]
    if task.lost_at is not None:
        text = f"{units.age(task.lost_at, frame.now)} ago: {visible(loss_text(task), _LONGEST)}"
        if comes_back is True:
            text += "; the broker hands it out again at once"
        elif comes_back:
            again = units.date_time(comes_back, UTC if frame.utc else None)
            text += f"; comes back after the visibility timeout, {again}"
        found[2:3] = [Field("Last state", task.state), Field("Lost", text, "bad")]
    if task.revoking and task.extra is not None and task.extra.revoke_requested_at is not None:
        ago = units.age(task.extra.revoke_requested_at, frame.now)
        what = "terminate" if task.extra.terminate_requested else "revoke"
        found.insert(3, Field("Requested", f"{what} requested {ago} ago", "warn"))
    found[-1:-1] = link_fields(task)
    if task.exception is not None:
        found.insert(3, Field("Exception", visible(task.exception, _LONGEST), "bad"))
    return found


def _state_style(task: Task) -> str:
    if task.state == FAILURE:
        return "bad"
    return "good" if task.state == "SUCCESS" else "accent"


def _text(label: str, text: str | None) -> list[Field]:
    return [Field(label, visible(text, _LONGEST))] if text else []


def _times(task: Task, frame: Frame) -> list[Field]:
    zone = UTC if frame.utc else None
    found = []
    for label, told, host in (
        ("Sent", task.sent_at, None),  # of a client's clock nothing is known
        ("Received", task.received_at, task.worker),
        ("Started", task.started_at, task.worker),
        ("Finished", task.finished_at, task.worker),
    ):
        if told is not None:
            at = frame.ours(told, host)
            ago = units.age(at, frame.now)
            when = ago if ago.startswith("in ") else f"{ago} ago"
            found.append(Field(label, f"{units.date_time(at, zone)}  {when}"))
    there = frame.now_at(task.worker)
    due = "Due (ETA)" if next_attempt(task, there) is None else "Next attempt"
    for label, told in ((due, task.eta_at), ("Expires", task.expires_at)):
        if told is not None:
            ago = units.age(told, there)  # its worker waits by its own clock
            when = ago if ago.startswith("in ") else f"{ago} ago"
            found.append(Field(label, f"{units.date_time(told, zone)}  {when}", "accent"))
    found += _clock(task, frame)
    waited, ran = task.waited(), task.elapsed(there)
    if waited is not None:
        found.append(Field("Waited", units.duration(waited)))
    if ran is not None:
        label = "Running for" if task.running else "Runtime"
        found.append(Field(label, units.duration(ran), "accent" if task.running else "text"))
    return found


def _clock(task: Task, frame: Frame) -> list[Field]:
    """Say that times were corrected; waiting is measured between two clocks, and is not."""
    skew = frame.skews.get(task.worker or "")
    if not skew or (task.received_at or task.started_at or task.finished_at) is None:
        return []
    way = "ahead" if skew > 0 else "behind"
    host = visible(task.worker or "?", _LONGEST)
    text = f"({host}'s clock is {units.duration(abs(skew))} {way}: corrected)"
    return [Field("Clock", text, "muted")]


def _progress(task: Task) -> list[Field]:
    progress = task.progress
    if progress is None or task.running or task.state == SUCCESS:
        return []  # it has a bar of its own, or is done
    parts = []
    if progress.fraction is not None:
        parts.append(units.percent(progress.fraction))
    if progress.current is not None:
        of = f" of {progress.total:g}" if progress.total is not None else ""
        parts.append(f"{progress.current:g}{of}")
    if progress.text:
        parts.append(visible(progress.text, _LONGEST))
    return [Field("Last told", "  ".join(parts), "accent")] if parts else []


def _extra(task: Task) -> list[Field]:
    extra = task.extra
    if extra is None:
        return []
    found = [
        *_text("Sent by", extra.client),
        *_text("Exchange", extra.exchange),
        *_text("Routing key", extra.routing_key),
        *_text("Signal", extra.signal),
    ]
    for label, number in (("Priority", extra.priority), ("Process", extra.pid)):
        if number is not None:
            found.append(Field(label, str(number)))
    for label, flag in (
        ("Acknowledged", extra.acknowledged),
        ("Redelivered", extra.redelivered),
        ("Terminated", extra.terminated),
        ("Expired", extra.expired),
        ("Requeued", extra.requeued),
    ):
        if flag is not None:
            found.append(Field(label, "yes" if flag else "no"))
    return found
