"""The report of `celtop task`: everything known about one task, with sources, as JSON or text.

Names that end in `_at` are UTC times in ISO 8601, those in `_s` seconds. Fields may be added to
version 1; none is removed or renamed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from ..model.entities.states import FROM_EVENT, source_names
from ..model.entities.task import Task
from ..model.ingest.tasks.rate_limited import held_text
from ..model.lookup import HELD_BY_WORKER, TaskLookup, task_from, whole_id_note
from ..model.state import ClusterState
from ..model.text.phrases import counted
from ..model.text.sanitize import visible, visible_lines
from ..model.text.units import duration, iso, percent, steps
from .outcome import ResultRecord
from .snapshot.records import TaskRecord
from .snapshot.snapshot import task_record

SCHEMA: Final = "celtop.task/1"
MAX_VALUE_LENGTH: Final = 2_000
"""Characters of a value shown as text."""
_SHOWN_APART: Final = ("id", "sources", "attempts", "traceback")
_LABEL_WIDTH: Final = 16


class SourceRecord(msgspec.Struct, frozen=True, gc=False):
    """The task as one source reports it."""

    source: str
    """`event`, `worker NAME`, `message in queue NAME`, `message held by a worker`,
    `result backend` or `history`; `event, inspect` is what celtop had received before the
    lookup."""
    fields: dict[str, Any]
    """Fields of the task's record; those that the source does not report are left out."""


class LookedRecord(msgspec.Struct, frozen=True, gc=False):
    """One place where the task was looked up."""

    place: str
    """`workers`, `queues`, `backend` or `history`."""
    found: bool | None
    """Null if the place could not be searched."""
    text: str


class TaskReport(msgspec.Struct, frozen=True, gc=False):
    """Everything known about one task."""

    schema: str
    taken_at: str | None
    id: str
    task: TaskRecord | None
    """All sources combined, as in a snapshot; null if no source has the task."""
    told_by: list[SourceRecord]
    looked: list[LookedRecord]
    result: ResultRecord | None
    """How it finished, if it has, with the exact value from the result backend."""


def report(
    lookup: TaskLookup,
    before: SourceRecord | None,
    state: ClusterState,
    result: ResultRecord | None,
    now: float,
) -> TaskReport:
    """Return the report of a task; `before` is what events had reported before the lookup."""
    task = state.tasks.get(lookup.id)
    sources = [] if before is None else [before]
    for found in lookup.found:
        alone = task_from(found, lookup.id, state.redaction)
        if alone is not None:
            record = source_record(found.source, alone, now)
            if found.source == HELD_BY_WORKER:
                record.fields.pop("state", None)
            sources.append(record)
    return TaskReport(
        SCHEMA,
        iso(now),
        lookup.id,
        None if task is None else task_record(task, now, state),
        sources,
        [LookedRecord(one.place, one.found, one.text) for one in lookup.places],
        result,
    )


def event_source(task: Task | None, now: float) -> SourceRecord | None:
    """Return what events reported about a task so far; None if they reported nothing."""
    if task is None or not task.sources & FROM_EVENT:
        return None
    return source_record(", ".join(source_names(task.sources)), task, now)


def source_record(source: str, task: Task, now: float) -> SourceRecord:
    """Return a task's record from one source, without the fields that it does not report."""
    fields = msgspec.to_builtins(task_record(task, now))
    for name in ("id", "sources", "runtime_s", "waited_s", "time_left_s"):
        del fields[name]
    return SourceRecord(
        source, {name: value for name, value in fields.items() if value not in (None, [], 0)}
    )


def render(found: TaskReport) -> str:
    """Return the report as text: each value with its sources."""
    return "".join(line + "\n" for line in _lines(found))


def _lines(found: TaskReport) -> Iterator[str]:
    task = found.task
    heading = [found.id, _not_found(found)]
    if task is not None:
        heading = [found.id, task.name or "?", task.state]
    yield "  ".join(visible(text, MAX_VALUE_LENGTH) for text in heading)
    if task is not None:
        yield ""
        for field, value, sources in _facts(found, task):
            yield f"  {field:<{_LABEL_WIDTH}}{value}  [{sources}]"
        for attempt in task.attempts:
            exception = visible(attempt.exception or "", MAX_VALUE_LENGTH)
            exception = f"  {exception}" if exception else ""
            at = f" at {visible(attempt.worker)}" if attempt.worker else ""
            started = f", started {attempt.started_at}" if attempt.started_at else ""
            label = f"attempt {attempt.number + 1}"
            yield f"  {label:<{_LABEL_WIDTH}}{visible(attempt.state)}{at}{started}{exception}"
        if task.traceback:
            yield "  traceback"
            yield from (f"    {line}" for line in visible_lines(task.traceback.rstrip()))
    yield ""
    yield "  searched"
    for one in found.looked:
        word = {True: "found", False: "not found", None: "unknown"}[one.found]
        yield f"    {one.place:<{_LABEL_WIDTH - 4}}{word:<11}{visible(one.text, MAX_VALUE_LENGTH)}"


def _not_found(found: TaskReport) -> str:
    unknown = sum(one.found is None for one in found.looked)
    places = f"{unknown} of {counted(len(found.looked), 'place')} could not be searched completely"
    texts = ("not found", places if unknown else "", whole_id_note(found.id))
    return "; ".join(filter(None, texts))


def _facts(found: TaskReport, task: TaskRecord) -> Iterator[tuple[str, str, str]]:
    """Yield each field, each value reported for it, and the sources of that value."""
    for field in TaskRecord.__struct_fields__:
        if field in _SHOWN_APART:
            continue
        values: dict[str, list[str]] = {}
        for source in found.told_by:
            if field in source.fields:
                value = _value_text(source.fields[field])
                values.setdefault(value, []).append(source.source)
        for value, sources in values.items():
            yield field, value, visible("; ".join(sources), MAX_VALUE_LENGTH)
    for field in ("runtime_s", "waited_s", "time_left_s"):
        seconds = getattr(task, field)
        if seconds is not None:
            yield field.removesuffix("_s"), duration(seconds), "calculated"
    if task.held_by_rate_limit is not None:
        held = visible(held_text(task.held_by_rate_limit), MAX_VALUE_LENGTH)
        yield "waiting", held, f"limits of {visible(task.worker or '?', MAX_VALUE_LENGTH)}"


def _value_text(value: Any) -> str:
    if not isinstance(value, Mapping):
        return visible(str(value), MAX_VALUE_LENGTH)
    parts = []
    if value.get("fraction") is not None:
        parts.append(percent(value["fraction"]))
    if reported := steps(value.get("current"), value.get("total")):
        parts.append(reported)
    if value.get("text"):
        parts.append(visible(value["text"], MAX_VALUE_LENGTH))
    return "  ".join(parts)
