"""Every field of a worker, as labels and values for its screen."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from ...lists.workers import health_level, queue_names
from ...model.entities.clock_skew import MIN_SKEW
from ...model.entities.worker import Worker, WorkerHealth
from ...model.health.workers.workers import stall_text
from ...model.text import units
from ...model.text.coerce import to_float
from ...model.text.phrases import counted, named
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.column import Frame

_MAX_TEXT = 300
"""Characters of a value."""
_TASK_EVENTS: Final = {
    True: "on",
    False: "off; see Attention",
    None: "? (none received; A can enable them)",
}


def worker_fields(worker: Worker, status: WorkerHealth, frame: Frame) -> list[Field]:
    """Return the fields of a worker; `?` stands for values that it has not reported."""
    style = health_level(worker, status, frame.now)
    seen = "never"
    if worker.last_seen_at is not None:
        seen = f"{units.duration(max(0, int(frame.now - worker.last_seen_at)))} ago"
    beats = "no heartbeat received"
    if worker.sends_heartbeats:
        beats = f"heartbeat every {units.duration(worker.frequency)}"
    why = f": {stall_text(worker, frame.now)}" if status == "stalled" else ""
    if status == "unknown":
        why = ": no connection"
    return [
        Field("Status", f"{frame.glyphs.level(style)} {status}{why}", style),
        Field("Last seen", f"{seen}, {beats}"),
        Field("Pool", f"{worker.pool or '?'}, {_slots(worker)}"),
        Field("Busy", units.count(worker.running)),
        Field("Reserved", _number(worker.reserved_ids)),
        Field("Scheduled", _number(worker.scheduled_ids)),
        Field("Processes", ", ".join(map(str, worker.processes)) or "?"),
        Field("Queues", visible(_queues(worker), _MAX_TEXT)),
        Field("Prefetch", units.count(worker.prefetch)),
        Field("Time limits", _limits(worker.stats)),
        Field("Max tasks per child", _per_child(worker.stats)),
        Field("Autoscale", _autoscale(worker.stats)),
        Field("Task events", _TASK_EVENTS[worker.events_enabled]),
        _skew(worker),
        _pid(worker),
        Field("Software", visible(_software(worker), _MAX_TEXT)),
        Field("Uptime", units.duration(worker.uptime_at(frame.now))),
    ]


def usage_fields(worker: Worker) -> list[Field]:
    """Return the task counts of a worker and the resources that its main process has used."""
    return [
        Field("Processed", units.count(worker.processed)),
        Field("Since celtop started", _seen(worker)),
        *_earlier(worker),
        *resource_fields(worker),
    ]


def resource_fields(worker: Worker) -> list[Field]:
    """Return the load of a worker's host, and what its main process has used."""
    load = " ".join(f"{value:.2f}" for value in worker.load) if worker.load else "?"
    found = [Field("Host load", load)]
    usage = worker.rusage
    if usage is not None:
        found += [
            Field("CPU time, main process", units.duration(usage.user_s + usage.system_s)),
            Field("of which system time", units.duration(usage.system_s)),
            Field("Peak memory, main proc.", units.size(usage.rss_bytes)),
            Field("Page faults", units.count(usage.page_faults)),
            Field("Voluntary ctx switches", units.count(usage.voluntary_switches)),
            Field("Involuntary ctx switches", units.count(usage.involuntary_switches)),
        ]
    return found


def total_fields(worker: Worker) -> list[Field]:
    """Return how many tasks of each type a worker has processed since it started.

    The types that it has registered are listed, too.
    """
    totals = {**dict.fromkeys(worker.registered or (), 0), **worker.totals}
    found = sorted(totals.items(), key=lambda total: (-total[1], total[0]))
    return [
        Field(visible(name, _MAX_TEXT), units.count(total), "text" if total else "muted")
        for name, total in found
    ]


def _number(ids: Collection[str] | None) -> str:
    return units.count(None if ids is None else len(ids))


def _slots(worker: Worker) -> str:
    number = worker.slots
    if number is not None and worker.max_processes:
        return f"up to {counted(number, 'slot')}"
    return "? slots" if number is None else counted(number, "slot")


def _pid(worker: Worker) -> Field:
    if not worker.shares_name:
        return Field("PID", "?" if worker.pid is None else str(worker.pid))
    pids = named([str(pid) for pid in sorted(worker.pids)])
    return Field("PID", f"{pids}: several workers have this name", "bad")


def _seen(worker: Worker) -> str:
    if worker.events_enabled is False:
        return "? (it sends no task events)"
    return (
        f"{units.count(worker.received)} received, {units.count(worker.succeeded)} succeeded, "
        f"{units.count(worker.failed)} failed, {units.count(worker.retried)} retried"
    )


def _earlier(worker: Worker) -> list[Field]:
    earlier = worker.earlier
    if not earlier.ended:
        return []
    text = (
        f"{units.count(earlier.succeeded)} succeeded, {units.count(earlier.failed)} failed, "
        f"{units.count(earlier.retried)} retried"
    )
    return [Field("In the hour before", text)]


def _software(worker: Worker) -> str:
    words = (worker.software, worker.software_version, worker.system)
    return " ".join(word for word in words if word) or "?"


def _skew(worker: Worker) -> Field:
    if worker.clock_skew is None:
        return Field("Clock", "?")
    style = "warn" if abs(worker.clock_skew) > MIN_SKEW else "text"
    return Field("Clock", f"{round(worker.clock_skew, 2) + 0:+.2f} s from this host", style)


def _pool(stats: dict[str, Any] | None) -> dict[str, Any]:
    pool = (stats or {}).get("pool")
    return pool if isinstance(pool, dict) else {}


def _limits(stats: dict[str, Any] | None) -> str:
    timeouts = _pool(stats).get("timeouts")
    if not isinstance(timeouts, list | tuple) or len(timeouts) != 2:
        return "?"
    soft, hard = (_limit(value) for value in timeouts)
    return f"soft {soft}, hard {hard}"


def _limit(value: object) -> str:
    seconds = to_float(value)
    return units.duration(seconds) if seconds else "none"


def _queues(worker: Worker) -> str:
    names = queue_names(worker)
    return units.UNKNOWN if names is None else names or "none"


def _per_child(stats: dict[str, Any] | None) -> str:
    value = _pool(stats).get("max-tasks-per-child")
    if value is None:
        return "?"
    return "unlimited" if value == "N/A" else visible(str(value), _MAX_TEXT)


def _autoscale(stats: dict[str, Any] | None) -> str:
    if stats is None:
        return "?"
    scale = stats.get("autoscaler")
    if not isinstance(scale, dict):
        return "off"
    return visible(f"{scale.get('min')} to {scale.get('max')}, now {scale.get('current')}", 60)
