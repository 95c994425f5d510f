"""The records of `celtop schedule`."""

from __future__ import annotations

from typing import Any

import msgspec

from ..model.health.tasks.beat import beat_findings
from ..model.health.tasks.schedule_status import EntryStatus, entry_statuses
from ..model.state import ClusterState
from ..model.text.phrases import counted
from ..model.text.units import iso
from .encoding.json import utf8, utf8_or_none
from .snapshot.notes import source_note
from .snapshot.records import FindingRecord, Note
from .snapshot.snapshot import finding_record


class RunRecord(msgspec.Struct, frozen=True, gc=False):
    """A task that an entry sent."""

    id: str
    at: str | None
    """When it was sent or, if that is unknown, received."""
    state: str
    runtime_s: float | None


class EntryRecord(msgspec.Struct, frozen=True, gc=False):
    """One entry of the schedule."""

    name: str
    task: str
    status: str
    """`scheduled`, `overdue`, `unknown` (when it is due), `not started`, `disabled`, `expired`, or
    `finished` (a one-off that has run)."""
    schedule: str
    """In words."""
    kind: str
    """`interval`, `crontab`, `solar`, `clocked` or `other`."""
    definition: str
    """In the notation of its source."""
    every_s: float | None
    timezone: str | None
    args: list[Any] | None
    kwargs: dict[str, Any] | None
    arguments_exact: bool
    """Whether the arguments are those that beat sends: JSON values, none of them masked."""
    queue: str | None
    """By its own options; null is decided by the routes."""
    priority: int | None
    task_expires_s: float | None
    options: dict[str, Any]
    """Other options of `apply_async`."""
    enabled: bool
    one_off: bool
    starts_at: str | None
    expires_at: str | None
    last_run_at: str | None
    next_run_at: str | None
    """Null if it never runs, or if that is unknown; see `next_run_within_s`."""
    next_times: list[str | None]
    overdue_s: float | None
    """Seconds since it should have run; null if it is not certain that it has not."""
    total_runs: int | None
    runs: list[RunRecord]
    """The newest tasks of it that are known, the oldest first."""
    runs_by_name: bool
    """Whether these were found by task name and arguments alone."""
    sources: list[str]
    """`django-celery-beat`, `redbeat`, `file`, `app`, `workers`: the first one counts."""
    note: str | None
    next_run_within_s: float | None = None
    """The interval, in which it runs, if `next_run_at` is unknown because the last run is."""


class ScheduleRecord(msgspec.Struct, frozen=True, gc=False):
    """The schedule of beat."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    """The parts that could not be read, and why."""
    findings: list[FindingRecord]
    """The faults of beat."""
    entries: list[EntryRecord]
    """In the order of `--sort`: by default the overdue ones first, then by their next run."""
    matching: int = 0
    """Entries that match the filter, with those beyond the limit."""


def schedule_notes(state: ClusterState, now: float) -> list[Note]:
    """Return what could not be read of the schedule, and why."""
    notes = [
        Note(f"schedule {source}", utf8(str(read.fault)))
        for source, read in state.schedule.reads.items()
        if read.fault is not None
    ]
    if state.recorded is not None:
        notes.append(source_note(state.recorded))
    if state.schedule.left_out:
        notes.append(Note("schedule", f"{state.schedule.left_out:,} more entries not listed"))
    statuses = entry_statuses(state, now)
    if any(one.last_run_at is None and one.entry.total_runs is None for one in statuses):
        text = "last_run_at unknown: no source has it, and no task of the entry was seen"
        notes.append(Note("schedule", text))
    unknown = sum(_within(one) is not None for one in statuses)
    if unknown:
        text = f"next_run_at unknown of {counted(unknown, 'entry')}: the latest run is unknown; "
        text += "the next one is within next_run_within_s if beat is running"
        notes.append(Note("schedule", text))
    return notes


def _within(status: EntryStatus) -> float | None:
    """Return the interval of an entry whose next run is unknown, in seconds; otherwise None."""
    at, by = status.next_run_at, status.next_run_by
    return status.entry.every if at is None and by is not None else None


def beat_records(state: ClusterState, now: float) -> list[FindingRecord]:
    """Return what is wrong with beat."""
    return [finding_record(one) for one in beat_findings(state, now)]


def entry_record(status: EntryStatus, state: ClusterState) -> EntryRecord:
    """Return the record of one entry."""
    entry = status.entry
    return EntryRecord(
        name=utf8(entry.name),
        task=utf8(entry.task),
        status=status.word,
        schedule=utf8(entry.schedule),
        kind=entry.kind,
        definition=utf8(entry.definition),
        every_s=entry.every,
        timezone=entry.zone,
        args=_plain(list(entry.args)),
        kwargs=_plain(entry.kwargs),
        arguments_exact=entry.exact,
        queue=utf8_or_none(entry.queue),
        priority=entry.priority,
        task_expires_s=entry.expires_in,
        options=_plain(entry.options) or {},
        enabled=entry.enabled,
        one_off=entry.one_off,
        starts_at=iso(entry.starts_at),
        expires_at=iso(entry.expires_at),
        last_run_at=iso(status.last_run_at),
        next_run_at=iso(status.next_run_at),
        next_times=[iso(at) for at in status.upcoming],
        overdue_s=None if status.overdue_s is None else round(status.overdue_s, 3),
        total_runs=entry.total_runs,
        runs=[
            RunRecord(task.id, iso(state.schedule.run_at(task)), task.state, task.runtime)
            for task in status.runs
        ],
        runs_by_name=status.by_name,
        sources=list(status.sources),
        note=utf8(entry.note) if entry.note else None,
        next_run_within_s=_within(status),
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, with lone surrogates escaped."""
    if isinstance(value, str):
        return utf8(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {utf8(str(key)): _plain(one) for key, one in value.items()}
    return value if value is None or isinstance(value, bool | int | float) else utf8(str(value))
