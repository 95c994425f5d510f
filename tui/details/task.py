"""The fields of a task page."""

from __future__ import annotations

from datetime import UTC

from ...lists.attempts import next_attempt, retry_count
from ...model.entities.clock_skew import MIN_SKEW
from ...model.entities.messages.unacked import Unacked
from ...model.entities.states import RETRY, SUCCESS, source_names
from ...model.entities.styles import state_style
from ...model.entities.task import Task
from ...model.entities.worker import Worker
from ...model.ingest.tasks.lost_tasks import loss_text, redelivery_text
from ...model.ingest.tasks.rate_limited import held_text
from ...model.text import units
from ...model.text.frames import TracebackFrame
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.column import Frame
from .retry import link_fields

_MAX_TEXT = 300
"""Characters of a value."""


def task_fields(
    task: Task,
    frame: Frame,
    max_retries: int | None = None,
    redelivery_at: float | None = None,
    held: Unacked | None = None,
    abandoned: bool | None = None,
) -> list[Field]:
    """Return the fields of a task; most unknown values are left out.

    Args:
        task: The task.
        frame: The moment to show.
        max_retries: The maximum number of retries of its type, if known.
        redelivery_at: When the broker redelivers its message, by `ClusterState.redelivery_at`.
        held: Its unacknowledged message, by `ClusterState.unacked`.
        abandoned: Whether the worker that holds the message is gone, if known.
    """
    found = [
        Field("ID", visible(task.id, _MAX_TEXT)),
        Field("Name", visible(task.name or "?", _MAX_TEXT)),
        Field("State", f"{frame.glyphs.state(task.state)} {task.state}", state_style(task.state)),
        Field("Worker", visible(task.worker or "?", _MAX_TEXT)),
        Field("Queue", visible(task.queue or "?", _MAX_TEXT)),
        *_text("Held", held_text(task.held_by) if task.held_by is not None else None),
        *_times(task, frame),
        Field("Retries", retry_count(task, max_retries), "accent" if task.retries else "muted"),
        *_progress(task),
        *_extra(task),
        *_text("Root", task.root_id),
        *_text("Parent", task.parent_id),
        *_text("Group", task.group_id),
        Field("Sources", _sources(task), "muted"),
    ]
    if task.lost_at is not None:
        text = (
            f"{units.elapsed(task.lost_at, frame.now)} ago: {visible(loss_text(task), _MAX_TEXT)}"
        )
        found[2:3] = [Field("Last state", task.state), Field("Lost", text, "bad")]
    if held is not None and not task.finished:
        found[3:3] = _held(held, frame, abandoned=abandoned is True)
    elif redelivery_at is not None:
        text = redelivery_text(redelivery_at, frame.now)
        if redelivery_at > frame.now:
            at = units.date_time(redelivery_at, UTC if frame.utc else None)
            text += f", at {at}: the worker had not acknowledged it"
        found.insert(3, Field("Message", text, "warn"))
    if task.revoking and task.extra is not None and task.extra.revoke_requested_at is not None:
        ago = units.elapsed(task.extra.revoke_requested_at, frame.now)
        what = "terminate" if task.extra.terminate_requested else "revoke"
        found.insert(3, Field("Requested", f"{what}, {ago} ago", "warn"))
    found[-1:-1] = link_fields(task)
    if task.exception is not None:
        found.insert(3, Field("Exception", visible(task.exception, _MAX_TEXT), "bad"))
    return found


def _held(held: Unacked, frame: Frame, *, abandoned: bool) -> list[Field]:
    """Return who holds a message since when, and when it is redelivered."""
    zone, style = UTC if frame.utc else None, "warn" if abandoned else "text"
    worker = held.worker or "a worker"
    if abandoned:
        worker = f"{held.worker}, which is gone," if held.worker else "a worker that is gone,"
    text = f"held by {worker} since {units.clock(held.since, zone)}"
    found = [Field("Message", visible(text, _MAX_TEXT), style)]
    if held.redelivered_at is not None:
        again = f"at {units.clock(held.redelivered_at, zone)}"
        if held.redelivered_at <= frame.now:
            again, style = "due", "warn"
        elif not abandoned:
            again += " if it does not finish"
        found.append(Field("Redelivery", again, style))
    return found


def frame_place(frame: TracebackFrame | None) -> str:
    """Return where a frame is, as `images/tasks.py:41 in download`; empty without a frame."""
    if frame is None:
        return ""
    short = "/".join(frame.place.replace("\\", "/").split("/")[-2:])
    return visible(f"{short} in {frame.function}", _MAX_TEXT)


def unlisted_field(worker: Worker | None) -> list[Field]:
    """Return the reason why a worker could not list its tasks, if it could not."""
    fault = None if worker is None else worker.fact("active").fault
    if worker is None or fault is None or worker.left_at is not None:
        return []
    text = f"{worker.name} could not list its running tasks: {fault.problem}"
    return [Field("Note", visible(text, _MAX_TEXT), "warn")]


def _text(label: str, text: str | None) -> list[Field]:
    return [Field(label, visible(text, _MAX_TEXT))] if text else []


def _times(task: Task, frame: Frame) -> list[Field]:
    found = []
    resent = task.is_resent
    ended_at = task.sent_at if resent and task.finished_at is None else task.finished_at
    for label, time, host in (
        # The client's clock skew is unknown.
        ("Sent", None if resent else task.sent_at, None),
        ("Received", task.received_at, task.worker),
        ("Started", task.started_at, task.worker),
        ("Retried" if task.state == RETRY else "Finished", ended_at, task.worker),
        ("Stored", None if task.extra is None else task.extra.created_at, None),
    ):
        if time is not None:
            found.append(Field(label, _past(frame.to_local(time, host), frame)))
    there = frame.now_at(task.worker)
    due = "Due (ETA)" if next_attempt(task, there) is None else "Next attempt"
    for label, time in ((due, task.eta_at), ("Expires", task.expires_at)):
        if time is not None:
            # The worker waits by its own clock.
            found.append(Field(label, _moment(time, there, frame), "accent"))
    found += _clock(task, frame)
    waited = task.waited(frame.skews)
    ran = task.elapsed(frame.running_at(task.worker))
    if waited is not None:
        found.append(Field("Waited", units.duration(waited)))
    if ran is not None:
        label = "Running for" if task.running else "Runtime"
        found.append(Field(label, units.duration(ran), "accent" if task.running else "text"))
    return found


def _past(at: float, frame: Frame) -> str:
    """Return a time that has passed, even if the clock that it was read from is ahead."""
    ahead = at - frame.now
    if ahead > MIN_SKEW:
        return _dated(at, f"{units.duration(ahead)} ahead of this host's clock", frame)
    return _dated(at, f"{units.elapsed(at, frame.now)} ago", frame)


def _moment(at: float, now: float, frame: Frame) -> str:
    age = units.age(at, now)
    return _dated(at, age if age.startswith("in ") else f"{age} ago", frame)


def _dated(at: float, when: str, frame: Frame) -> str:
    zone = units.zone_name(at, utc=frame.utc)
    then = f"{units.date_time(at, UTC if frame.utc else None)} {zone}".rstrip()
    return f"{when}  {then}" if frame.relative else f"{then}  {when}"


def _clock(task: Task, frame: Frame) -> list[Field]:
    """Note that times were corrected."""
    skew = frame.skews.get(task.worker or "")
    if not skew or (task.received_at or task.started_at or task.finished_at) is None:
        return []
    way = "ahead" if skew > 0 else "behind"
    host = visible(task.worker or "?", _MAX_TEXT)
    text = f"times corrected: the clock of {host} is {units.duration(abs(skew))} {way}"
    return [Field("Clock", text, "muted")]


def _progress(task: Task) -> list[Field]:
    progress = task.progress
    if progress is None or task.running or task.state == SUCCESS:
        return []  # it has a bar, or is done
    parts = []
    if progress.fraction is not None:
        parts.append(units.percent(progress.fraction))
    if steps := units.steps(progress.current, progress.total):
        parts.append(steps)
    if progress.text:
        parts.append(visible(progress.text, _MAX_TEXT))
    return [Field("Last progress", "  ".join(parts), "accent")] if parts else []


def _extra(task: Task) -> list[Field]:
    extra = task.extra
    if extra is None:
        return []
    found = [
        *_text("Periodic task", extra.periodic_task_name),
        *_text("Sent by", extra.client),
        *_text("Exchange", extra.exchange),
        *_text("Routing key", extra.routing_key),
        *_text("Signal", extra.signal),
    ]
    for label, number in (("Priority", extra.priority), ("PID", extra.pid)):
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


def _sources(task: Task) -> str:
    """Return what has reported a task, and whether the history has only a part of its like."""
    names = ", ".join(source_names(task.sources)) or "?"
    share = None if task.extra is None else task.extra.stored_share
    return names if share is None else f"{names}: 1 of {round(1 / share)} successes stored"
