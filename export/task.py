"""One task that was looked for everywhere, with who tells what: as JSON for scripts, or as text.

Times are ISO 8601 in UTC, names ending in `_s` seconds. Fields may be added to version 1, none is
removed or renamed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from ..model.entities.states import FROM_EVENT, source_names
from ..model.entities.task import Task
from ..model.lookup import HELD_BY_WORKER, TaskLookup, task_from
from ..model.state import ClusterState
from ..model.text.sanitize import visible, visible_lines
from ..model.text.units import duration, iso, percent
from .outcome import ResultRecord
from .records import TaskRecord
from .snapshot import task_record

SCHEMA: Final = "celtop.task/1"
LONGEST: Final = 2_000
"""Characters of a value that the text shows."""
_APART: Final = ("id", "sources", "attempts", "traceback")
_LABEL: Final = 16


class SourceRecord(msgspec.Struct, frozen=True, gc=False):
    """What one source alone tells of the task."""

    source: str
    """`event`, `worker NAME`, `message in queue NAME`, `message held by a worker` or
    `result backend`; `event, inspect` is what celtop had heard before it looked."""
    fields: dict[str, Any]
    """Fields of the task's record, without those that it does not tell."""


class LookedRecord(msgspec.Struct, frozen=True, gc=False):
    """One place where the task was looked for."""

    place: str
    """`workers`, `queues` or `backend`."""
    found: bool | None
    """Null if it could not be looked at."""
    text: str


class TaskReport(msgspec.Struct, frozen=True, gc=False):
    """All that is known of one task."""

    schema: str
    taken_at: str | None
    id: str
    task: TaskRecord | None
    """All sources together, as in a snapshot; null if nobody knows it."""
    told_by: list[SourceRecord]
    looked: list[LookedRecord]
    result: ResultRecord | None
    """How it ended, if it has: from the result backend the exact value."""


def report(
    search: TaskLookup,
    before: SourceRecord | None,
    state: ClusterState,
    result: ResultRecord | None,
    now: float,
) -> TaskReport:
    """Return all that is known of a task.

    Args:
        search: What was found where.
        before: What had been heard of it before.
        state: What the model makes of all that.
        result: How it ended, if it has.
        now: The time, by our clock.
    """
    task = state.tasks.get(search.id)
    sources = [] if before is None else [before]
    for found in search.found:
        alone = task_from(found, search.id, state.redaction)
        if alone is not None:
            record = source_record(found.source, alone, now)
            if found.source == HELD_BY_WORKER:
                record.fields.pop("state", None)
            sources.append(record)
    return TaskReport(
        SCHEMA,
        iso(now),
        search.id,
        None if task is None else _record(state, task, now),
        sources,
        [LookedRecord(one.place, one.found, one.text) for one in search.looked],
        result,
    )


def _record(state: ClusterState, task: Task, now: float) -> TaskRecord:
    left, estimate = state.time_left(task, now), state.estimate(task, now)
    return task_record(task, now, None, left, estimate, state.skews.get(task.worker or "", 0.0))


def event_source(task: Task | None, now: float) -> SourceRecord | None:
    """Return what events reported about a task so far; None if they reported nothing."""
    if task is None or not task.sources & FROM_EVENT:
        return None
    return source_record(", ".join(source_names(task.sources)), task, now)


def source_record(source: str, task: Task, now: float) -> SourceRecord:
    """Return a task's record as that of one source: only what it tells."""
    fields = msgspec.to_builtins(task_record(task, now))
    for name in ("id", "sources", "runtime_s", "waited_s", "time_left_s"):
        del fields[name]
    return SourceRecord(
        source, {name: value for name, value in fields.items() if value not in (None, [], 0)}
    )


def encode(found: TaskReport) -> bytes:
    """Return the report as UTF-8 JSON, indented by two and ended by a newline."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def render(found: TaskReport) -> str:
    """Return the report as text: each fact with whoever tells it."""
    return "".join(line + "\n" for line in _lines(found))


def _lines(found: TaskReport) -> Iterator[str]:
    task = found.task
    name = "" if task is None else f"  {visible(task.name or '?', LONGEST)}  {visible(task.state)}"
    yield f"{visible(found.id, LONGEST)}{name}"
    yield ""
    for field, value, sources in _facts(found):
        yield f"  {field:<{_LABEL}}{value}  [{sources}]"
    if task is not None:
        for attempt in task.attempts:
            why = f"  {visible(attempt.exception, LONGEST)}" if attempt.exception else ""
            at = f" at {visible(attempt.worker)}" if attempt.worker else ""
            began = f", began {attempt.started_at}" if attempt.started_at else ""
            label = f"attempt {attempt.number + 1}"
            yield f"  {label:<{_LABEL}}{visible(attempt.state)}{at}{began}{why}"
        if task.traceback:
            yield "  traceback"
            yield from (f"    {line}" for line in visible_lines(task.traceback.rstrip()))
    yield ""
    yield "  looked at"
    for one in found.looked:
        word = {True: "found", False: "not there", None: "unknown"}[one.found]
        yield f"    {one.place:<{_LABEL - 4}}{word:<11}{visible(one.text, LONGEST)}"


def _facts(found: TaskReport) -> Iterator[tuple[str, str, str]]:
    """Yield each field with each value that it is told to have, and who tells it so."""
    for field in TaskRecord.__struct_fields__:
        if field in _APART:
            continue
        told_by: dict[str, list[str]] = {}
        for source in found.told_by:
            if field in source.fields:
                value = _value(source.fields[field])
                told_by.setdefault(value, []).append(source.source)
        for value, sources in told_by.items():
            yield field, value, visible("; ".join(sources), LONGEST)
    task = found.task
    if task is not None:
        for field in ("runtime_s", "waited_s", "time_left_s"):
            seconds = getattr(task, field)
            if seconds is not None:
                yield field.removesuffix("_s"), duration(seconds), "reckoned"


def _value(value: Any) -> str:
    if not isinstance(value, Mapping):
        return visible(str(value), LONGEST)
    parts = []
    if value.get("fraction") is not None:
        parts.append(percent(value["fraction"]))
    if value.get("current") is not None:
        parts.append(f"{value['current']:g} of {value.get('total') or '?'}")
    if value.get("text"):
        parts.append(visible(value["text"], LONGEST))
    return "  ".join(parts)
