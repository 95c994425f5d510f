"""Snapshots as plain tables, for eyes, mails and `watch`.

Control characters, escape sequences and marks that turn text around are spelt out. What these
tables add of their own is ASCII.
"""

from __future__ import annotations

from typing import Final

from ..model.text.sanitize import visible
from ..model.text.units import NEVER, UNKNOWN, count, duration, percent, rate, size
from .records import BrokerRecord, QueueRecord, Snapshot, TaskRecord, WorkerRecord
from .tables import Cell, Column, Line, fit, flow, plain, table, wrap

TASKS_SHOWN: Final = 50
LONGEST_CELL: Final = 200
"""Characters of a text that are looked at: a table shows fewer."""

SHORT_ID: Final = 8
WIDE: Final = 140
"""From this width on, ids are shown in full."""

STATUS_STYLES: Final = {
    "online": "good",
    "live": "good",
    "late": "warn",
    "connecting": "warn",
    "offline": "bad",
    "lost": "bad",
}


def render(snapshot: Snapshot, width: int = 120, limit: int = TASKS_SHOWN) -> str:
    """Return the snapshot as text.

    Args:
        snapshot: What to show.
        width: The most cells in a line.
        limit: The most tasks to show; a last line tells how many more there are.
    """
    return "".join(plain(line) + "\n" for line in lines(snapshot, width, limit))


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
    out += _section("Tasks", len(snapshot.tasks), width, ", newest first")
    shown = snapshot.tasks[::-1][: max(0, limit)]
    if shown:
        id_width = SHORT_ID if width < WIDE else LONGEST_CELL
        out += table(_TASK_COLUMNS, [_task_row(task, id_width) for task in shown], width)
    if more := len(snapshot.tasks) - len(shown):
        out.append([(fit(f"... and {count(more)} more", width), "muted")])
    if snapshot.notes:
        out += _section("Notes", len(snapshot.notes), width)
        for note in snapshot.notes:
            text = f"{_short(note.subject)}: {visible(note.text, LONGEST_CELL, '..')}"
            out += [[(part, "muted")] for part in wrap(text, width)]
    return out


def _head(snapshot: Snapshot, width: int) -> list[Line]:
    broker, totals = snapshot.broker, snapshot.totals
    out: list[Line] = [[(fit(f"celtop snapshot at {snapshot.taken_at or UNKNOWN}", width), "")]]
    out += _broker_lines(broker, width)
    states: list[Cell] = []
    for state, number in totals.tasks.items():
        states += [("  ", ""), (f"{_short(state)} {count(number)}", state_style(state))]
    total = sum(totals.tasks.values())
    out += flow([("tasks   ", "muted"), (f"{count(total)} held", ""), *states], width)
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
        (broker.status, STATUS_STYLES.get(broker.status, "")),
        ("  ", ""),
        (f"{duration(broker.latency_s)}, {count(broker.commands_sent)} commands", ""),
    ]
    out = flow(cells, width)
    if broker.error is not None:
        text = visible(broker.error, LONGEST_CELL, "..")
        out += [[(part, "bad")] for part in wrap(text, width)]
    return out


def _section(title: str, number: int, width: int, more: str = "") -> list[Line]:
    return [[], [(fit(f"{title} ({count(number)}{more})", width), "title")]]


_WORKER_COLUMNS: Final = (
    Column("worker", least=12),
    Column("status"),
    Column("active", right=True),
    Column("reserved", right=True),
    Column("scheduled", right=True),
    Column("processed", right=True),
    Column("heard", right=True),
    Column("pool"),
    Column("load", right=True),
    Column("rss", right=True),
    Column("skew", right=True),
    Column("queues", least=8),
)


def _worker_row(worker: WorkerRecord) -> list[Cell]:
    load = UNKNOWN if not worker.load else f"{worker.load[0]:.2f}"
    queues = UNKNOWN if worker.queues is None else _short(", ".join(worker.queues))
    return [
        (_short(worker.name), ""),
        (worker.status, STATUS_STYLES.get(worker.status, "")),
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
    Column("queue", least=12),
    Column("waiting", right=True),
    Column("unacked", right=True),
    Column("in", right=True),
    Column("out", right=True),
    Column("drain", right=True),
    Column("oldest", right=True),
    Column("consumers", least=10),
)


def _queue_row(queue: QueueRecord) -> list[Cell]:
    unattended = bool(queue.waiting) and not queue.consumers
    rates_known = queue.in_per_s is not None and queue.out_per_s is not None
    never = bool(queue.waiting) and rates_known and queue.drain_s is None
    return [
        (_short(queue.name), ""),
        (count(queue.waiting), "warn" if unattended else ""),
        (count(queue.unacked), ""),
        (rate(queue.in_per_s), ""),
        (rate(queue.out_per_s), ""),
        (NEVER if never else duration(queue.drain_s), ""),
        (duration(queue.oldest_age_s), ""),
        (_short(", ".join(queue.consumers)) or "-", "warn" if unattended else ""),
    ]


_TASK_COLUMNS: Final = (
    Column("id", least=SHORT_ID),
    Column("state"),
    Column("name", least=12),
    Column("received"),
    Column("runtime", right=True),
    Column("retries", right=True),
    Column("worker", least=10),
    Column("queue", least=8),
    Column("args", least=8),
    Column("result or exception", least=10),
)


def _task_row(task: TaskRecord, id_width: int) -> list[Cell]:
    outcome = task.exception if task.exception is not None else task.result
    if outcome is None:
        outcome = _progress(task)
    at = task.received_at or task.sent_at or task.started_at
    return [
        (visible(task.id, id_width, ""), ""),
        (_short(task.state), state_style(task.state)),
        (_short(task.name), ""),
        (UNKNOWN if at is None else at[11:19], ""),
        ("-" if task.runtime_s is None else duration(task.runtime_s), ""),
        (count(task.retries), ""),
        (_short(task.worker), ""),
        (_short(task.queue), ""),
        (_short(task.args), ""),
        ("" if outcome is None else _short(outcome), "bad" if task.exception is not None else ""),
    ]


def _progress(task: TaskRecord) -> str | None:
    """Return how far a running task is: what it tells, or else an estimate that says so."""
    if task.finished_at is not None or task.lost_at is not None:
        return None
    told, guess = task.progress, task.estimate
    parts = []
    if told is not None and told.fraction is not None:
        parts.append(percent(told.fraction))
    elif guess is not None and guess.fraction is not None:
        parts.append(f"~{percent(guess.fraction)} (estimate)")
    if told is not None and told.text:
        parts.append(told.text)
    return "  ".join(parts) or None


def state_style(state: str) -> str:
    """Return the name of a state's style; all custom states share one."""
    return f"state-{state.lower()}" if state in _STYLED_STATES else "state-custom"


_STYLED_STATES: Final = frozenset(
    {"SUCCESS", "FAILURE", "STARTED", "RECEIVED", "PENDING", "RETRY", "REVOKED", "REJECTED"}
)


def _short(text: str | None) -> str:
    return UNKNOWN if text is None else visible(text, LONGEST_CELL, "..")
