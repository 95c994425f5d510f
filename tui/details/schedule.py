"""Every field of an entry of the schedule, as labels and values."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import Any, Final

from ...lists import schedule
from ...lists.schedule import arguments
from ...model.entities.schedule import SOURCE_NAMES
from ...model.health.tasks.schedule_status import EntryStatus
from ...model.routing import Routing
from ...model.text import units
from ...model.text.phrases import counted
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.column import Frame

_MAX_TEXT: Final = 300
"""Characters of a value."""


def entry_fields(status: EntryStatus, routing: Routing, frame: Frame) -> list[Field]:
    """Return the fields of an entry.

    Args:
        status: The entry with its runs.
        routing: Determines the queue of its task if it has none of its own.
        frame: The time, its zone and the glyphs.
    """
    entry = status.entry
    zone = UTC if frame.utc else None
    state, style = schedule.status(status, frame)
    due, due_style = schedule.next_run(status, frame)
    found = [
        Field("Status", state, style),
        Field("Next run", due, due_style),
        _field("Schedule", entry.schedule),
        *([_field("Defined as", entry.definition)] if entry.definition else []),
        *(
            Field("Then" if number else "Due at", _time(at, zone))
            for number, at in enumerate(status.upcoming)
        ),
        *([_field("Note", entry.note, "warn")] if entry.note else []),
        _field("Task", entry.task),
        _field("Arguments", arguments(status) or "none"),
        _queue(status, routing),
        Field(
            "Last run", _time(status.last_run_at, zone) if status.last_run_at else _never(status)
        ),
        Field("Runs", units.count(entry.total_runs)),
        Field("Last outcomes", _outcomes(status)),
    ]
    found += [
        Field(label, _time(at, zone))
        for label, at in (("Starts at", entry.starts_at), ("Expires at", entry.expires_at))
        if at is not None
    ]
    if entry.one_off:
        found.append(Field("One-off", "disabled after it has run once"))
    if entry.expires_in is not None:
        found.append(Field("Tasks expire", f"after {units.duration(entry.expires_in)}"))
    found += [_option(name, value) for name, value in sorted(entry.options.items())]
    sources = ", ".join(SOURCE_NAMES[one] for one in status.sources)
    return [*found, Field("Source", sources, "muted")]


def _queue(status: EntryStatus, routing: Routing) -> Field:
    if status.entry.queue is not None:
        return _field("Queue", status.entry.queue)
    routed = routing.queue(status.entry.task)
    if routed is None:
        return Field("Queue", units.UNKNOWN)
    return _field("Queue", f"{routed.name} (from {routed.reason})")


def _outcomes(status: EntryStatus) -> str:
    if not status.runs:
        return "no task seen yet"
    counts = Counter(task.state for task in status.runs).most_common()
    text = ", ".join(f"{number:,} {state}" for state, number in counts)
    return f"{text} (found by name and arguments)" if status.by_name else text


def _never(status: EntryStatus) -> str:
    return "never" if status.entry.total_runs == 0 else units.UNKNOWN


def _time(at: float | None, zone: Any) -> str:
    return units.date_time(at, zone)[:19]


def _option(name: str, value: object) -> Field:
    return _field(name.replace("_", " ").capitalize(), str(value))


def _field(label: str, text: str, style: str = "text") -> Field:
    return Field(visible(label, 20), visible(text, _MAX_TEXT), style)


def title(status: EntryStatus) -> str:
    """Return the title of the preview."""
    return f"Entry {status.entry.name}: {counted(len(status.runs), 'task')} seen"
