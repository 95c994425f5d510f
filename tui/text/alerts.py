"""The findings of the overview's Attention list, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...model.entities.clock_skew import MIN_SKEW
from ...model.state import ClusterState
from ...model.text import units
from ..navigation import DrillDown
from .workers import stall_text

AlertLevel: TypeAlias = Literal["bad", "warn"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One line of the Attention list."""

    level: AlertLevel
    subject: str
    text: str
    view: str
    """The view to open."""
    drill: DrillDown | None = None

    @property
    def id(self) -> str:
        """The row's id."""
        return f"{self.view} {self.subject} {self.level}"


def alerts(state: ClusterState, now: float) -> list[Alert]:
    """Return everything that needs attention, the worst first."""
    found = [*_queues(state), *_workers(state, now), *_losses(state)]
    return sorted(found, key=lambda alert: alert.level != "bad")


def _queues(state: ClusterState) -> list[Alert]:
    found = []
    for queue in state.queues.values():
        if queue.unattended:
            noun = "message" if queue.waiting == 1 else "messages"
            text = f"{units.count(queue.waiting)} {noun} waiting, no consumers"
            found.append(Alert("bad", queue.name, text, "queues"))
    return found


def _workers(state: ClusterState, now: float) -> list[Alert]:
    found = []
    since = state.broker.listening_since
    for worker in state.workers.values():
        status = worker.status(now, since)
        drill = DrillDown("worker", worker.name)
        if status == "offline":
            running = len(worker.active_ids)
            gone = units.age(worker.left_at or worker.last_seen_at, now)
            how = "shut down" if worker.left_at is not None else "lost"
            left = f", {worker.running_when_lost}" if running else ""
            level: AlertLevel = "bad" if running or worker.left_at is None else "warn"
            text = f"{how} {gone} ago{left}"
            found.append(Alert(level, worker.name, text, "workers", drill))
        elif status == "late":
            text = f"no heartbeat for {units.age(worker.last_seen_at, now)}"
            if worker.pool == "solo":
                text += " (a solo pool sends none while it runs a task)"
            found.append(Alert("warn", worker.name, text, "workers", drill))
        elif worker.stalled_since is not None:
            found.append(Alert("bad", worker.name, stall_text(worker, now), "workers", drill))
        if worker.clock_skew is not None and abs(worker.clock_skew) > MIN_SKEW:
            way = "ahead" if worker.clock_skew > 0 else "behind"
            text = f"clock is {units.duration(abs(worker.clock_skew))} {way} of this host's"
            found.append(Alert("warn", worker.name, text, "workers", drill))
        if worker.events_enabled is False and status == "online":
            text = "task events are off, so its tasks are not shown (start it with -E)"
            found.append(Alert("warn", worker.name, text, "workers", drill))
    return found


def _losses(state: ClusterState) -> list[Alert]:
    totals, found = state.totals, []
    if totals.lost:
        text = f"{units.count(totals.lost)} lost; counts may be too low"
        found.append(Alert("bad", "events", text, "log"))
    if totals.malformed:
        text = f"{units.count(totals.malformed)} could not be read and were ignored"
        found.append(Alert("warn", "events", text, "log"))
    return found
