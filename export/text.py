"""Snapshots as text: plain tables in ASCII.

Text from the cluster keeps its characters, but for control characters, which are escaped.
"""

from __future__ import annotations

from typing import Final

from ..model.entities.styles import BROKER_LEVELS, WORKER_LEVELS, state_style
from ..model.text.phrases import SHORT_ID_LENGTH
from ..model.text.sanitize import visible
from ..model.text.units import NEVER, UNKNOWN, count, duration, percent, rate, size
from .records import BrokerRecord, QueueRecord, Snapshot, TaskRecord, WorkerRecord
from .tables import Cell, Column, Line, fit, flow, plain, table, wrap

MAX_CELL_LENGTH: Final = 200
"""Characters of a text before the table shortens it further."""

MAX_NOTE_LENGTH: Final = 500
"""Characters of a note."""

FULL_ID_WIDTH: Final = 140
"""The line width from which ids are shown in full."""


def render(snapshot: Snapshot, width: int, limit: int) -> str:
    """Return the snapshot as text, at most `width` cells wide; tasks beyond `limit` are counted."""
    return "".join(plain(line) + "\n" for line in lines(snapshot, width, limit))


def task_table(snapshot: Snapshot, width: int, limit: int) -> str:
    """Return the newest tasks as text, at most `width` cells wide; those beyond are counted."""
    return "".join(plain(line) + "\n" for line in _task_lines(snapshot, width, limit))


def lines(snapshot: Snapshot, width: int, limit: int) -> list[Line]:
    """Return the snapshot as styled lines, none wider than `width` cells."""
    out = _head(snapshot, width)
    out += _section("Workers", len(snapshot.workers), width)
    if snapshot.workers:
        rows = [_worker_row(worker) for worker in snapshot.workers]
        out += table(_WORKER_COLUMNS, rows, width)
    out += _section("Queues", len(snapshot.queues), width)
    if snapshot.queues:
        out += table(_QUEUE_COLUMNS, [_queue_row(queue) for queue in snapshot.queues], width)
    if snapshot.delayed is not None and snapshot.delayed.messages:
        delayed = snapshot.delayed
        text = f"waiting for their time: {count(delayed.messages)} ({delayed.text})"
        out += [[(part, "")] for part in wrap(text, width)]
    out += _section("Tasks", len(snapshot.tasks), width, ", newest first")
    out += _task_lines(snapshot, width, limit)
    if snapshot.notes:
        out += _section("Notes", len(snapshot.notes), width)
        for note in snapshot.notes:
            text = f"{_short(note.subject)}: {visible(note.text, MAX_NOTE_LENGTH, '..')}"
            out += [[(part, "muted")] for part in wrap(text, width)]
    return out


def _task_lines(snapshot: Snapshot, width: int, limit: int) -> list[Line]:
    out = []
    shown = snapshot.tasks[::-1][: max(0, limit)]
    if shown:
        id_width = SHORT_ID_LENGTH if width < FULL_ID_WIDTH else MAX_CELL_LENGTH
        out += table(
            _TASK_COLUMNS, [_task_row(task, id_width, snapshot.taken_at) for task in shown], width
        )
    if more := len(snapshot.tasks) - len(shown):
        out.append([(fit(f"... and {count(more)} more", width), "muted")])
    return out


def _head(snapshot: Snapshot, width: int) -> list[Line]:
    broker, totals = snapshot.broker, snapshot.totals
    out: list[Line] = [[(fit(f"celtop snapshot at {snapshot.taken_at or UNKNOWN}", width), "")]]
    out += _broker_lines(broker, width)
    states: list[Cell] = []
    for state, number in totals.tasks.items():
        states += [("  ", ""), (f"{_short(state)} {count(number)}", state_style(state))]
    total = sum(totals.tasks.values())
    out += flow([("tasks   ", "muted"), (f"{count(total)} in memory", ""), *states], width)
    facts = (
        f"{count(totals.events)}, lost {count(totals.events_lost)}, "
        f"malformed {count(totals.events_malformed)}, "
        f"succeeded {rate(totals.succeeded_per_s)}, failed {rate(totals.failed_per_s)}"
    )
    bad = bool(totals.events_lost or totals.events_malformed)
    out += flow([("events  ", "muted"), (facts, "warn" if bad else "")], width)
    return out


def _broker_lines(broker: BrokerRecord, width: int) -> list[Line]:
    cells: list[Cell] = [
        ("broker  ", "muted"),
        (_short(broker.url) or UNKNOWN, ""),
        ("  ", ""),
        (broker.status, BROKER_LEVELS.get(broker.status, "")),
        ("  ", ""),
        (f"latency {duration(broker.latency_s)}, {count(broker.commands_sent)} commands sent", ""),
    ]
    out = flow(cells, width)
    if broker.error is not None:
        text = visible(broker.error, MAX_CELL_LENGTH, "..")
        out += [[(part, "bad")] for part in wrap(text, width)]
    return out


def _section(title: str, number: int, width: int, more: str = "") -> list[Line]:
    return [[], [(fit(f"{title} ({count(number)}{more})", width), "title")]]


_WORKER_COLUMNS: Final = (
    Column("worker", min_width=12),
    Column("status"),
    Column("active", right=True),
    Column("reserved", right=True),
    Column("scheduled", right=True),
    Column("processed", right=True),
    Column("heartbeat", right=True),
    Column("pool"),
    Column("load", right=True),
    Column("rss", right=True),
    Column("skew", right=True),
    Column("queues", min_width=8),
)


def _worker_row(worker: WorkerRecord) -> list[Cell]:
    load = UNKNOWN if not worker.load else f"{worker.load[0]:.2f}"
    queues = UNKNOWN if worker.queues is None else _short(", ".join(worker.queues))
    return [
        (_short(worker.name), ""),
        (worker.status, WORKER_LEVELS.get(worker.status, "")),
        (f"{count(worker.active)}/{count(worker.concurrency)}", ""),
        (count(worker.reserved), ""),
        (count(worker.scheduled), ""),
        (count(worker.processed), ""),
        (duration(worker.heartbeat_age_s), ""),
        (_short(worker.pool or UNKNOWN), ""),
        (load, ""),
        (size(worker.rss_bytes), ""),
        (duration(worker.clock_skew_s), ""),
        (queues, ""),
    ]


_QUEUE_COLUMNS: Final = (
    Column("queue", min_width=12),
    Column("waiting", right=True),
    Column("unacked", right=True),
    Column("in", right=True),
    Column("out", right=True),
    Column("drains in", right=True),
    Column("oldest", right=True),
    Column("consumers", min_width=10),
)


def _queue_row(queue: QueueRecord) -> list[Cell]:
    unattended = bool(queue.waiting) and queue.consumers == []
    consumers = UNKNOWN if queue.consumers is None else _short(", ".join(queue.consumers)) or "-"
    rates_known = queue.in_per_s is not None and queue.out_per_s is not None
    never = bool(queue.waiting) and rates_known and queue.drain_s is None
    return [
        (_short(queue.name), ""),
        (count(queue.waiting), "warn" if unattended else ""),
        (_unacked(queue), ""),
        (rate(queue.in_per_s), ""),
        (rate(queue.out_per_s), ""),
        (NEVER if never else duration(queue.drain_s), ""),
        (_oldest(queue), ""),
        (consumers, "warn" if unattended else ""),
    ]


def _unacked(queue: QueueRecord) -> str:
    if queue.unacked is None and queue.unacked_at_least is not None:
        return f">= {count(queue.unacked_at_least)}"
    return count(queue.unacked)


def _oldest(queue: QueueRecord) -> str:
    if queue.waiting == 0:
        return "-"
    if queue.oldest_age_s is None and queue.oldest_age_at_least_s is not None:
        return f">= {duration(queue.oldest_age_at_least_s)}"
    return duration(queue.oldest_age_s)


_TASK_COLUMNS: Final = (
    Column("id", min_width=SHORT_ID_LENGTH),
    Column("state"),
    Column("name", min_width=12),
    Column("received"),
    Column("finished"),
    Column("runtime", right=True),
    Column("retries", right=True),
    Column("worker", min_width=10),
    Column("queue", min_width=8),
    Column("args", min_width=8),
    Column("result or exception", min_width=10),
)


def _finished(task: TaskRecord, taken_at: str | None) -> str:
    """Return the time of day, or the date and the time of another day."""
    at = task.finished_at
    if at is None:
        return "-"
    return (
        at[11:19]
        if taken_at is not None and at[:10] == taken_at[:10]
        else f"{at[5:10]} {at[11:16]}"
    )


def _task_row(task: TaskRecord, id_width: int, taken_at: str | None) -> list[Cell]:
    outcome = task.exception if task.exception is not None else task.result
    if outcome is None:
        outcome = _progress(task)
    at = task.received_at or task.sent_at or task.started_at
    return [
        (visible(task.id, id_width, ""), ""),
        (_short(task.state), state_style(task.state)),
        (_short(task.name), ""),
        (UNKNOWN if at is None else at[11:19], ""),
        (_finished(task, taken_at), ""),
        ("-" if task.runtime_s is None else duration(task.runtime_s), ""),
        (count(task.retries), ""),
        (_short(task.worker), ""),
        (_short(task.queue), ""),
        (_short(task.args), ""),
        ("" if outcome is None else _short(outcome), "bad" if task.exception is not None else ""),
    ]


def _progress(task: TaskRecord) -> str | None:
    """Return the progress of a running task: reported or, marked as such, estimated."""
    if task.finished_at is not None or task.lost_at is not None:
        return None
    progress, estimate = task.progress, task.estimate
    parts = []
    if progress is not None and progress.fraction is not None:
        parts.append(percent(progress.fraction))
    elif estimate is not None and estimate.fraction is not None:
        parts.append(f"~{percent(estimate.fraction)} (estimate)")
    if progress is not None and progress.text:
        parts.append(progress.text)
    return "  ".join(parts) or None


def _short(text: str | None) -> str:
    return UNKNOWN if text is None else visible(text, MAX_CELL_LENGTH, "..")
