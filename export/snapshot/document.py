"""A snapshot as a document: facts, then the lists of workers, queues and tasks, then notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ...lists.context import ListContext
from ...model.entities.styles import BROKER_LEVELS, state_style
from ...model.query.language import EVERY_TASK, Query
from ...model.query.order import NEWEST_FIRST, Order
from ...model.text.sanitize import visible
from ...model.text.units import UNKNOWN, count, duration, rate
from ..encoding.document import MAX_CELL_LENGTH, MAX_NOTE_LENGTH, Document, Table
from ..encoding.tables import Cell
from .records import BrokerRecord, Snapshot, TotalsRecord
from .snapshot import take_snapshot

_BY_NAME: Final = Order("name", descending=False)


def snapshot_document(
    context: ListContext, query: Query = EVERY_TASK, limit: int | None = None
) -> Document:
    """Return the snapshot.

    Args:
        context: The model, the clock and how to draw.
        query: Which tasks it has.
        limit: How many tasks its table has, the newest first; its record has all.
    """
    snapshot = take_snapshot(context.state, context.now, query)
    return Document(
        "snapshot",
        snapshot,
        [
            *(("workers", worker) for worker in snapshot.workers),
            *(("queues", queue) for queue in snapshot.queues),
            *(("tasks", task) for task in snapshot.tasks),
        ],
        lambda: _tables(context, snapshot, query, limit),
        _lead(snapshot),
        [
            f"{_short(note.subject)}: {visible(note.text, MAX_NOTE_LENGTH, '..')}"
            for note in snapshot.notes
        ],
        context,
    )


def _tables(
    context: ListContext, snapshot: Snapshot, query: Query, limit: int | None
) -> list[Table]:
    from ...lists.listing import LISTINGS
    from ..lists.document import list_table

    tables = []
    for name, order in (("workers", _BY_NAME), ("queues", _BY_NAME), ("tasks", NEWEST_FIRST)):
        rows = LISTINGS[name].rows(context, query if name == "tasks" else "", order)
        shown = rows[:limit] if name == "tasks" else rows
        tables.append(list_table(name, context, shown, total=len(rows), empty=False))
    if snapshot.delayed is not None and snapshot.delayed.messages:
        delayed = snapshot.delayed
        text = f"waiting for their time: {count(delayed.messages)} ({delayed.text})"
        tables[1] = replace(tables[1], footer=text)
    return tables


def _lead(snapshot: Snapshot) -> list[Sequence[Cell]]:
    broker = snapshot.broker
    found: list[Sequence[Cell]] = [
        [(f"celtop snapshot at {snapshot.taken_at or UNKNOWN}", "")],
        _broker(broker),
    ]
    if broker.error is not None:
        found.append([(visible(broker.error, MAX_CELL_LENGTH, ".."), "bad")])
    return [*found, *_totals(snapshot.totals)]


def _broker(broker: BrokerRecord) -> list[Cell]:
    return [
        ("broker  ", "muted"),
        (_short(broker.url) or UNKNOWN, ""),
        ("  ", ""),
        (broker.status, BROKER_LEVELS.get(broker.status, "")),
        ("  ", ""),
        (f"latency {duration(broker.latency_s)}, {count(broker.commands_sent)} commands sent", ""),
    ]


def _totals(totals: TotalsRecord) -> tuple[list[Cell], list[Cell]]:
    states: list[Cell] = []
    for state, number in totals.tasks.items():
        states += [("  ", ""), (f"{_short(state)} {count(number)}", state_style(state))]
    total = sum(totals.tasks.values())
    facts = (
        f"{count(totals.events)}, lost {count(totals.events_lost)}, "
        f"malformed {count(totals.events_malformed)}, "
        f"succeeded {rate(totals.succeeded_per_s)}, failed {rate(totals.failed_per_s)}"
    )
    bad = bool(totals.events_lost or totals.events_malformed)
    return (
        [("tasks   ", "muted"), (f"{count(total)} in memory", ""), *states],
        [("events  ", "muted"), (facts, "warn" if bad else "")],
    )


def _short(text: str) -> str:
    return visible(text, MAX_CELL_LENGTH, "..")
