"""The columns of workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..model.entities.broker import Broker, Listening
from ..model.entities.clock_skew import MIN_SKEW
from ..model.entities.styles import WORKER_LEVELS, Level
from ..model.entities.worker import Worker, WorkerHealth
from ..model.health.newness import gone_since, is_new
from ..model.text import units
from ..model.text.phrases import counted
from ..widgets.charts.progress import bar_cells
from ..widgets.table.cells import Cell
from ..widgets.table.column import Column, Frame
from . import numbers

_BAR_WIDTH: Final = 10
_MAX_BAR_WIDTH: Final = 40
_LABEL_WIDTH: Final = 7
"""Cells of the numbers beside a bar, such as ` 12/128`."""
_TROUBLES: Final[Mapping[Level, int]] = {"bad": 2, "warn": 1}


def level_of(worker: Worker, listening: Listening, now: float) -> Level:
    """Return a worker's level: `bad` if it was lost or has stalled recently, later only `warn`."""
    return health_level(worker, worker.health(listening), now)


def health_level(worker: Worker, health: WorkerHealth, now: float) -> Level:
    """Return the level of a worker's health, as `level_of`."""
    level = WORKER_LEVELS[health]
    if level == "bad":
        ended = worker.left_at is not None and not worker.active_ids
        return "bad" if is_new(gone_since(worker), now) and not ended else "warn"
    return level


def trouble(level: Level) -> int:
    """Return a sort key for a worker's level, the largest for the worst."""
    return _TROUBLES.get(level, 0)


def queue_names(worker: Worker) -> str | None:
    """Return the names of the queues that a worker consumes."""
    return None if worker.queues is None else ", ".join(queue.name for queue in worker.queues)


def load_cells(
    worker: Worker, frame: Frame, width: int = _BAR_WIDTH + _LABEL_WIDTH
) -> Sequence[Cell]:
    """Return a bar of busy slots out of all slots, then both numbers, in `width` cells."""
    running, all_slots = worker.running, worker.slots
    known = "?" if running is None else str(running)
    label = f" {known}/{'?' if all_slots is None else all_slots}"
    fraction = min(1.0, running / all_slots) if running is not None and all_slots else 0.0
    bar_width = width - max(_LABEL_WIDTH, len(label))
    return (*bar_cells(fraction, bar_width, frame.glyphs), (label, "text"))


def load_or_absence(
    worker: Worker, broker: Broker, frame: Frame, width: int | None = None
) -> Sequence[Cell]:
    """Return a worker's load, or since when it is late, stalled or offline.

    A worker that is being drained has the number of tasks that it still runs instead. Without a
    width, a bar has its usual one, and texts are as long as they are.
    """
    listening = broker.listening(frame.now)
    health, style = worker.health(listening), level_of(worker, listening, frame.now)
    if health in ("online", "unknown"):
        cells = load_cells(worker, frame, width or _BAR_WIDTH + _LABEL_WIDTH)
        return cells if health == "online" else [(text, "muted") for text, _ in cells]
    if health == "stalled":
        since = units.age(worker.idle_since or worker.stalled_since, frame.now)
        return ((f"no task for {since}", style),)
    if health == "draining":
        return ((_draining(worker, width), style),)
    return ((_absence(worker, health, frame.now, width), style),)


def _draining(worker: Worker, width: int | None) -> str:
    """Return how many tasks a drained worker still runs, in the words that fit."""
    running, slots = worker.running, worker.slots
    if running is None:
        return "draining"
    text = f"draining, {running:,} running"
    if width is None or len(text) <= width:
        return text
    return f"draining {running:,}/{units.count(slots)}"


def _absence(worker: Worker, health: WorkerHealth, now: float, width: int | None) -> str:
    """Return since when a worker is absent, and how many tasks it ran, in the words that fit."""
    word = "seen" if health == "late" else "shut down" if worker.left_at else "lost"
    at, running = worker.seen_until, len(worker.active_ids)
    rough = units.ago(None if at is None else min(at, now), now)
    forms = [f"{word} {units.elapsed(at, now)} ago", f"{word} {rough}"]
    if running:
        # In a warm shutdown, they go on.
        was = "was running" if running == 1 else "were running"
        state = {"seen": "running", "shut down": "unfinished", "lost": was}[word]
        ran = f"{running:,} {state}"
        forms = [f"{form}, {ran}" for form in forms]
        forms.append(f"{word} {rough.removesuffix(' ago')}, {ran}")
        forms.append(f"{word} {rough.removesuffix(' ago')}, {counted(running, 'task')}")
        forms.append(f"{word} {rough}")
    return next((form for form in forms if width is None or len(form) <= width), forms[-1])


def busy_column(broker: Broker) -> Column[Worker]:
    """Return the column of busy slots, or since when a worker is late, stalled or offline."""

    def busy(worker: Worker, frame: Frame, width: int) -> Sequence[Cell]:
        return load_or_absence(worker, broker, frame, width)

    return Column(
        "busy", "Busy", _BAR_WIDTH + _LABEL_WIDTH,
        lambda worker, frame: load_or_absence(worker, broker, frame), 1,
        ticks=numbers.always, sort_key="busy", descending=True,
        max_width=_MAX_BAR_WIDTH + _LABEL_WIDTH, fill=busy,
    )  # fmt: skip


def worker_columns(broker: Broker) -> tuple[Column[Worker], ...]:
    """Return the columns; `broker` is needed for the workers' status."""

    def status_of(worker: Worker, now: float) -> WorkerHealth:
        return worker.health(broker.listening(now))

    def status(worker: Worker, frame: Frame) -> Cell:
        word = status_of(worker, frame.now)
        style = level_of(worker, broker.listening(frame.now), frame.now)
        return f"{frame.glyphs.level(style)} {word}", style

    def heartbeat(worker: Worker, frame: Frame) -> Cell:
        if worker.last_seen_at is None:
            return numbers.UNKNOWN
        style = level_of(worker, broker.listening(frame.now), frame.now)
        age = max(0.0, frame.now - worker.last_seen_at)
        return numbers.seconds(float(int(age)), "muted" if style == "good" else style)

    return (
        Column(
            "status",
            "Status",
            10,
            status,
            ticks=numbers.always,
            sort_key="trouble",
            descending=True,
        ),
        Column("name", "Worker", 20, lambda row, _: (row.name, "text"), grow=2, sort_key="name"),
        Column("pool", "Pool", 8, _pool, 4, sort_key="pool", remark=True),
        busy_column(broker),
        _number("processed", "Processed", 9, lambda worker: worker.processed, 2),
        numbers.column("failed", "Failed/seen", 11, _failed_of_seen, 2),
        Column("load", "Load", 14, _load, 4, sort_key="load", descending=True),
        Column("queues", "Queues", 16, _queues, 3, grow=3, sort_key="queues"),
        Column("heartbeat", "Last seen", 9, heartbeat, 3, justify="right", ticks=numbers.always),
        Column("version", "Version", 8, _version, 6, sort_key="version", remark=True),
        numbers.column("rss", "Peak RSS", 9, _rss, 5),
        _number("reserved", "Reserved", 8, _reserved, 5),
        _number("prefetch", "Prefetch", 8, lambda worker: worker.prefetch, 7),
        Column("uptime", "Uptime", 9, _uptime, 7, justify="right", sort_key="uptime"),
        Column("skew", "Clock", 8, _skew, 7, justify="right"),
        _number("pid", "PID", 8, lambda worker: worker.pid, 8, wide_only=True),
    )


def _failed(worker: Worker) -> int | None:
    counted = worker.failed_of_seen
    return None if counted is None else counted[0]


def _failed_of_seen(worker: Worker, frame: Frame) -> Cell:
    """Return the failed runs out of those whose outcome is known."""
    if worker.failed_of_seen is None:
        return numbers.UNKNOWN
    failed, seen = worker.failed_of_seen
    if not seen:
        return "-", "muted"
    return f"{units.count(failed)}/{units.count(seen)}", "text" if failed else "muted"


def _pool(worker: Worker, frame: Frame) -> Cell:
    return (worker.pool, "text") if worker.pool else numbers.UNKNOWN


def _load(worker: Worker, frame: Frame) -> Cell:
    if not worker.load:
        return numbers.UNKNOWN
    return " ".join(f"{value:.2f}" for value in worker.load), "text"


def _queues(worker: Worker, frame: Frame) -> Cell:
    names = queue_names(worker)
    if names is None:
        fault = worker.fact("active_queues").fault
        return numbers.UNKNOWN if fault is None else (f"? ({fault.problem})", "warn")
    return (names, "text") if names else ("none", "warn")


def _version(worker: Worker, frame: Frame) -> Cell:
    return (worker.software_version, "muted") if worker.software_version else numbers.UNKNOWN


def _rss(worker: Worker, frame: Frame) -> Cell:
    return numbers.bytes_of(worker.rusage.rss_bytes if worker.rusage else None)


def _reserved(worker: Worker) -> int | None:
    return None if worker.reserved_ids is None else len(worker.reserved_ids)


def _uptime(worker: Worker, frame: Frame) -> Cell:
    return numbers.seconds(worker.uptime_at(frame.now))


def _skew(worker: Worker, frame: Frame) -> Cell:
    skew = worker.clock_skew
    if skew is None:
        return numbers.UNKNOWN
    return f"{skew:+.1f} s", "warn" if abs(skew) > MIN_SKEW else "muted"


def _number(
    column_id: str,
    title: str,
    width: int,
    get: Callable[[Worker], int | None],
    priority: int,
    style: str = "text",
    *,
    wide_only: bool = False,
) -> Column[Worker]:
    def cell(worker: Worker, frame: Frame) -> Cell:
        return numbers.count(get(worker), style)

    return numbers.column(column_id, title, width, cell, priority, wide_only=wide_only)


WORKER_KEYS: Final[Mapping[str, Callable[[Worker], Any]]] = {
    "name": lambda worker: worker.name,
    "pool": lambda worker: worker.pool,
    "busy": lambda worker: worker.running,
    "processed": lambda worker: worker.processed,
    "failed": _failed,
    "load": lambda worker: worker.load,
    "queues": queue_names,
    "version": lambda worker: worker.software_version,
    "rss": lambda worker: worker.rusage.rss_bytes if worker.rusage else None,
    "reserved": _reserved,
    "prefetch": lambda worker: worker.prefetch,
    "uptime": lambda worker: None if worker.started_at is None else -worker.started_at,
    "pid": lambda worker: worker.pid,
}


ORDER: Final = ("status", True)
"""The column that the list is sorted by at first, and whether the largest is first."""


def search_text(worker: Worker, status: WorkerHealth) -> str:
    """Return the text that a filter matches: name, pool, queues, version and status."""
    words = (worker.name, worker.pool, queue_names(worker), worker.software_version, status)
    return " ".join(word for word in words if word)
