"""Lists as documents: `celtop tasks`, `workers`, `queues`, `schedule`, `types` and `failures`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

import msgspec

from ...lists.context import ListContext
from ...lists.limits import common_limits
from ...lists.listing import LISTINGS
from ...lists.task_types import running_count, waiting_count
from ...model.entities.queue import Queue
from ...model.entities.states import FAILURE, RETRY, SUCCESS
from ...model.entities.task import Task
from ...model.entities.task_type import TaskType
from ...model.entities.worker import Worker
from ...model.health.findings import findings
from ...model.health.tasks.schedule_status import EntryStatus
from ...model.ingest.tasks.failure_groups import FailureGroup
from ...model.state import ClusterState
from ...model.text import units
from ...model.text.phrases import counted
from ...model.text.sanitize import visible
from ...model.text.units import iso
from ...widgets.glyphs import Glyphs
from ...widgets.table.column import Column as ListColumn
from ...widgets.table.column import Frame
from ..encoding.document import MAX_NOTE_LENGTH, Document, Record, Table
from ..encoding.json import utf8, utf8_or_none
from ..schedule import ScheduleRecord, beat_records, entry_record, schedule_notes
from ..snapshot.notes import notes_on
from ..snapshot.records import Note
from ..snapshot.snapshot import queue_record, task_record, worker_record
from .records import (
    FailureList,
    FailureRecord,
    QueueList,
    TaskList,
    TypeList,
    TypeRecord,
    WorkerList,
)
from .rows import NO_VALUES, Values, rows_table, table_columns


@dataclass(frozen=True, slots=True)
class ListExport:
    """How one list becomes records and values."""

    record: Callable[[Any, ListContext], msgspec.Struct]
    document: Callable[[ListContext, list[Any], int], msgspec.Struct]
    """Returns the JSON document of records, given how many rows there are without the limit."""
    values: Mapping[str, Values]
    """By the id of the column; the value of any other column is its text."""
    empty: str


def list_document(
    name: str,
    context: ListContext,
    rows: Sequence[Any],
    limit: int | None = None,
    chosen: Sequence[str] = (),
    unlisted: int = 0,
    *,
    exact: bool = True,
    filtered: str = "",
) -> Document:
    """Return rows of a list as a document.

    Args:
        name: The list, one of `LISTINGS`.
        context: The model, the clock and how to draw.
        rows: All rows, filtered and sorted.
        limit: The number of rows that are included; None for all.
        chosen: The ids of the columns, in order; without any, those of the screen.
        unlisted: Further rows that match, beyond `rows`.
        exact: Whether these are all that match.
        filtered: The filter, which an empty list names.
    """
    kind = LISTS[name]
    total = len(rows) + unlisted
    shown = rows if limit is None else rows[:limit]
    records = [kind.record(row, context) for row in shown]
    document: Any = kind.document(context, records, total)
    if not exact:
        note = Note(name, f"at least {total:,} match: counting them in the history took too long")
        document = msgspec.structs.replace(document, notes=[*document.notes, note])
    return Document(
        name,
        document,
        [(name, one) for one in records],
        lambda: [
            list_table(name, context, shown, records, total=total, chosen=chosen, filtered=filtered)
        ],
        notes=_lines(document),
        context=context,
    )


def list_table(
    name: str,
    context: ListContext,
    rows: Sequence[Any],
    records: Sequence[msgspec.Struct] | None = None,
    *,
    total: int,
    chosen: Sequence[str] = (),
    empty: bool = True,
    filtered: str = "",
) -> Table:
    """Return rows of a list as a table, with the values of their records.

    Args:
        name: The list, one of `LISTINGS`.
        context: The model, the clock and how to draw.
        rows: The rows that are shown.
        records: Their records, if they exist already.
        total: How many rows there are.
        chosen: The ids of the columns, in order; without any, those of the screen.
        empty: Whether an empty list has a line instead.
        filtered: The filter, which that line names.
    """
    kind, by_id = LISTS[name], {one.id: one for one in LISTINGS[name].columns(context)}
    if records is None:
        records = [kind.record(row, context) for row in rows]
    columns = [by_id[id_] for id_ in chosen] if chosen else _own_columns(tuple(by_id.values()))
    more = total - len(rows)
    frame = replace(context.frame(), glyphs=plain_glyphs(context.glyphs))
    return replace(
        rows_table(name, columns, rows, frame, records, kind.values),
        title=f"{name.capitalize()} ({units.count(total)})",
        columns=table_columns(columns, chosen=bool(chosen)),
        total=total,
        footer=f"... and {units.count(more)} more" if more else "",
        empty=_empty_line(kind, filtered) if empty else "",
    )


def _empty_line(kind: ListExport, filtered: str) -> str:
    """Return `No workers found`, or `No workers match: FILTER`."""
    if not filtered:
        return kind.empty
    return f"{kind.empty.removesuffix(' found')} match: {visible(filtered)}"


def plain_glyphs(glyphs: Glyphs) -> Glyphs:
    """Return glyphs for text without the symbols before a state, which is a word anyway."""
    return replace(glyphs, states={}, custom_state="", good="", warn="", bad="", idle="")


def _own_columns(columns: Sequence[ListColumn[Any]]) -> list[ListColumn[Any]]:
    return [column for column in columns if not column.wide_only]


def _lines(record: object) -> list[str]:
    """Return the notes that text shows below a list."""
    lines: list[str] = []
    if isinstance(record, ScheduleRecord):
        lines += [f"{one.subject}: {one.text}. {one.next_step}" for one in record.findings]
        lines += [f"{note.subject}: {note.text}" for note in record.notes]
    elif isinstance(record, FailureList):
        lines += [note.text for note in record.notes if note.subject == "failures"]
    return [visible(line, MAX_NOTE_LENGTH, "..") for line in lines]


def type_record(row: TaskType, state: ClusterState) -> TypeRecord:
    """Return the record of a task type."""
    runtime = row.runtime
    return TypeRecord(
        name=utf8(row.name),
        tasks=row.held,
        waiting=waiting_count(row),
        running=running_count(row),
        states={utf8(state): count for state, count in sorted(row.states.items())},
        received=row.received,
        succeeded=row.succeeded,
        failed=row.failed,
        retried=row.retried,
        revoked=row.revoked,
        failure_rate=row.failure_rate,
        runtime_mean_s=_rounded(runtime.mean),
        runtime_p50_s=_rounded(runtime.quantile(0.5)),
        runtime_p95_s=_rounded(runtime.quantile(0.95)),
        runtime_max_s=_rounded(runtime.max),
        wait_mean_s=_rounded(row.wait.mean),
        exceptions={utf8(name): count for name, count in row.exceptions.items()},
        last_at=iso(row.last_at),
        limits=utf8_or_none(common_limits(state, row.name) or None),
    )


def failure_record(group: FailureGroup, now: float) -> FailureRecord:
    """Return the record of a group of failures."""
    return FailureRecord(
        exception=utf8_or_none(group.error),
        location=utf8_or_none(group.place),
        names=[utf8(name) for name in group.names],
        count=group.count,
        first_at=iso(group.first_at),
        last_at=iso(group.last_at),
        workers={utf8(name): count for name, count in group.workers.items()},
        last_hour=group.trend.series(now),
        example=utf8_or_none(group.example),
        filter=utf8(group.query),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _notes(context: ListContext) -> list[Note]:
    return notes_on(context.state, findings(context.state, context.now))


def _document(
    schema: str, record: Callable[..., msgspec.Struct]
) -> Callable[[ListContext, list[Any], int], msgspec.Struct]:
    return lambda context, rows, total: record(
        schema, iso(context.now), _notes(context), total, rows
    )


def _schedule(context: ListContext, rows: list[Any], total: int) -> ScheduleRecord:
    state, now = context.state, context.now
    found = beat_records(state, now)
    return ScheduleRecord(
        "celtop.schedule/1", iso(now), schedule_notes(state, now), found, rows, total
    )


def _failures(context: ListContext, rows: list[Any], total: int) -> FailureList:
    notes, ungrouped = _notes(context), context.state.failures.left_out
    if ungrouped:
        text = f"{counted(ungrouped, 'failed task')} in further groups, not listed"
        notes = [*notes, Note("failures", text)]
    return FailureList("celtop.failures/1", iso(context.now), notes, total, rows, ungrouped)


def _of(*names: str) -> Values:
    """Return the values of these fields of a record."""
    return {name: attrgetter(name) for name in names}


def _in_state(state: str) -> Callable[[TypeRecord], int]:
    return lambda record: record.states.get(state, 0)


def _retrying(record: TypeRecord) -> int | None:
    return None if record.waiting is None else record.states.get(RETRY, 0)


LISTS: Final[Mapping[str, ListExport]] = {
    "tasks": ListExport(
        lambda row, context: task_record(row, context.now, context.state),
        _document("celtop.tasks/1", TaskList),
        {
            **{name: _of(name) for name in ("state", "name", "id", "worker", "queue", "retries")},
            **{name: _of(name) for name in ("args", "kwargs")},
            "received": _of("sent_at", "received_at", "started_at"),
            "finished": _of("finished_at"),
            "age": _of("sent_at", "received_at"),
            "runtime": _of("runtime_s"),
            "outcome": _of("result", "exception"),
        },
        "No tasks found",
    ),
    "workers": ListExport(
        lambda row, context: worker_record(row, context.now, context.listening),
        _document("celtop.workers/1", WorkerList),
        {
            **{name: _of(name) for name in ("name", "pool", "processed", "failed", "load")},
            **{name: _of(name) for name in ("queues", "version", "reserved", "prefetch", "pid")},
            "status": _of("status", "silent"),
            "busy": _of("active", "concurrency"),
            "heartbeat": _of("heartbeat_age_s"),
            "rss": _of("rss_bytes"),
            "uptime": _of("uptime_s"),
            "skew": _of("clock_skew_s"),
        },
        "No workers found",
    ),
    "queues": ListExport(
        lambda row, context: queue_record(row, context.state, context.now),
        _document("celtop.queues/1", QueueList),
        {
            **{name: _of(name) for name in ("name", "waiting", "delayed", "backlog", "consumers")},
            **{name: _of(name) for name in ("kind", "bytes")},
            "trend": {},
            "in": _of("in_per_s"),
            "out": _of("out_per_s"),
            "drain": _of("drain_s"),
            "slots": _of("slots_busy", "slots_total"),
            "unacked": _of("unacked", "unacked_at_least"),
            "runnable": _of("runnable_age_s", "runnable_age_at_least_s"),
            "oldest": _of("oldest_age_s", "oldest_age_at_least_s"),
            "priorities": _of("by_priority"),
        },
        "No queues found",
    ),
    "schedule": ListExport(
        lambda row, context: entry_record(row, context.state),
        _schedule,
        {
            **{name: _of(name) for name in ("name", "status", "schedule", "task", "queue")},
            "next": _of("next_run_at", "next_run_within_s", "overdue_s"),
            "last": _of("last_run_at"),
            "runs": {},
            "total": _of("total_runs"),
            "arguments": _of("args", "kwargs"),
            "source": _of("sources"),
        },
        "No periodic tasks found",
    ),
    "types": ListExport(
        lambda row, context: type_record(row, context.state),
        _document("celtop.types/1", TypeList),
        {
            **{name: _of(name) for name in ("name", "tasks", "limits")},
            "received": _of("waiting"),
            "started": _of("running"),
            "success": {"success": _in_state(SUCCESS)},
            "failure": {"failure": _in_state(FAILURE)},
            "retry": {"retry": _retrying},
            "failed_share": _of("failure_rate"),
            "p50": _of("runtime_p50_s"),
            "p95": _of("runtime_p95_s"),
            "max": _of("runtime_max_s"),
            "wait": _of("wait_mean_s"),
            "last": _of("last_at"),
        },
        "No task types found",
    ),
    "failures": ListExport(
        lambda row, context: failure_record(row, context.now),
        _failures,
        {
            "count": _of("count"),
            "trend": _of("last_hour"),
            "error": _of("exception"),
            "task": _of("names"),
            "place": _of("location"),
            "workers": _of("workers"),
            "first": _of("first_at"),
            "last": _of("last_at"),
        },
        "No failures found",
    ),
}
"""How each list is exported, by its name."""

_ROW_TYPES: Final = (
    (Task, "tasks"),
    (Worker, "workers"),
    (Queue, "queues"),
    (EntryStatus, "schedule"),
    (TaskType, "types"),
    (FailureGroup, "failures"),
)


def screen_document(
    name: str,
    columns: Sequence[ListColumn[Any]],
    rows: Sequence[Any],
    context: ListContext,
    frame: Frame,
    record: msgspec.Struct,
) -> Document:
    """Return the rows of a screen as a document.

    Args:
        name: The screen.
        columns: Its columns.
        rows: Its rows, of any kind.
        context: The model.
        frame: How the screen draws its cells.
        record: The document as JSON.
    """
    kinds = {kind for row in rows for type_, kind in _ROW_TYPES if isinstance(row, type_)}
    kind = kinds.pop() if len(kinds) == 1 else None
    records = [] if kind is None else [LISTS[kind].record(row, context) for row in rows]
    known = NO_VALUES if kind is None else LISTS[kind].values
    table = rows_table(kind or name, columns, rows, frame, records, known)
    named: list[Record] = [(table.name, one) for one in records]
    if not named:
        named = [(name, dict(zip(table.fields, row, strict=True))) for row in table.values]
    return Document(name, record, named, lambda: [table], context=context)
