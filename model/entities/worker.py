"""What is known of one worker, from its heartbeats and from what it answers to inspect."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, Literal, TypeAlias

import msgspec

from .task import Loss

WorkerStatus: TypeAlias = Literal["online", "late", "offline"]
WorkerHealth: TypeAlias = Literal["online", "stalled", "late", "offline"]

LATE_AFTER_HEARTBEATS: Final = 3.0
OFFLINE_AFTER_HEARTBEATS: Final = 8.0
"""In heartbeat intervals (2 s by default). Celery's own window, 2 intervals, is too short: a solo
pool sends nothing while a task runs, and a slow link delays by seconds."""

SOLO_BUSY_SECONDS: Final = 600.0
"""Seconds for which a silent solo pool may be at work: it cannot even tell which task it began."""

MAX_OFFSETS: Final = 8


class WorkerQueue(msgspec.Struct, frozen=True, gc=False):
    """A queue that a worker consumes, from `inspect active_queues`."""

    name: str
    exchange: str | None = None
    exchange_type: str | None = None
    routing_key: str | None = None


class Limits(msgspec.Struct, frozen=True, gc=False):
    """What a worker limits tasks of one type to, from `inspect registered`."""

    rate: str | None = None
    """As `10/m`; None is no limit."""
    soft: float | None = None
    """Seconds until SoftTimeLimitExceeded is raised in the task; None is the worker's own limit,
    which is none unless it was started with one."""
    hard: float | None = None
    """Seconds until its process is killed; None likewise."""


UNLIMITED: Final = Limits()


class Rusage(msgspec.Struct, frozen=True, gc=False):
    """`getrusage` of the worker's main process, not of its children."""

    user_s: float = 0.0
    system_s: float = 0.0
    rss_bytes: int = 0
    """The peak resident size, in bytes."""
    page_faults: int = 0
    voluntary_switches: int = 0
    involuntary_switches: int = 0


class Worker(msgspec.Struct, eq=False):
    """One worker node."""

    name: str
    version: int = 0
    """Counts up with each change of anything shown."""
    first_seen_at: float | None = None
    last_seen_at: float | None = None
    """When anything last came from it, by our clock."""
    frequency: float = 2.0
    """Seconds between its heartbeats."""
    left_at: float | None = None
    """When it said good-bye (`worker-offline`), by our clock."""
    newest_event_at: float = 0.0
    """The newest time that it sent, by its own clock: what is older must not overwrite."""
    offsets: deque[float] = msgspec.field(default_factory=lambda: deque(maxlen=MAX_OFFSETS))
    """Its clock minus ours at its last heartbeats; each is too low by the network's delay."""
    clock_skew: float | None = None
    """Seconds that its clock is ahead of ours, at most by the network's delay wrong."""
    pid: int | None = None
    software: str | None = None
    software_version: str | None = None
    system: str | None = None
    active: int | None = None
    processed: int | None = None
    load: tuple[float, ...] | None = None
    pool: str | None = None
    """`prefork`, `threads`, `solo`, `gevent`, `eventlet` or a class name."""
    concurrency: int | None = None
    processes: tuple[int, ...] = ()
    prefetch: int | None = None
    uptime: float | None = None
    rusage: Rusage | None = None
    totals: dict[str, int] = {}
    """Tasks it has accepted since its start, by task name."""
    queues: tuple[WorkerQueue, ...] | None = None
    active_ids: dict[str, None] = {}
    """Ids of the tasks that it runs, in the order they began: the newest answer and the events
    since. (A dict, as an ordered set: a gevent worker runs thousands.)"""
    missing_ids: dict[str, tuple[float, Loss]] = {}
    """Ids of tasks that it ran and runs no more though no end was heard, since when that is known,
    and why: the event may still be on its way."""
    reserved_ids: dict[str, None] | None = None
    """Ids of the tasks that it holds and will run as soon as it can; None before it was asked."""
    scheduled_ids: dict[str, None] | None = None
    """Ids of the tasks that it holds until their time."""
    registered: tuple[str, ...] | None = None
    """Task names, sorted; without Celery's own."""
    limits: dict[str, Limits] = {}
    """By task name, where a type has any."""
    initial_limits: dict[str, Limits] | None = None
    """The same as first told since the worker started: what a person can put back."""
    conf: dict[str, Any] | None = None
    stats: dict[str, Any] | None = None
    """The whole answer to `inspect stats`, for the detail screen."""
    inspected_at: float | None = None
    inspect_error: str | None = None
    events_enabled: bool | None = None
    unattributed_at: float | None = None
    """When it last received a task whose queue could not be told, by our clock."""
    stalled_since: float | None = None
    """Since when it beats, has room, and takes nothing from queues that are not empty, by our
    clock; None if it is as it should be."""
    idle_since: float | None = None
    """Since when it might have taken something, whether or not that is long enough to tell."""
    idle_counts: tuple[int, int] = (0, 0)
    """How many tasks it had received and processed then."""
    received: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0
    """What we heard ourselves since celtop started, unlike `processed`."""

    @property
    def id(self) -> str:
        """The name: what tables know a row by."""
        return self.name

    @property
    def running_when_lost(self) -> str:
        """What it left behind when it went, in words."""
        running = len(self.active_ids)
        return "1 task was running" if running == 1 else f"{running:,} tasks were running"

    def silence(self, now: float, listening_since: float) -> float:
        """Return the seconds for which it could have been heard and was not."""
        return now - max(self.last_seen_at or 0.0, listening_since)

    def status(self, now: float, listening_since: float) -> WorkerStatus:
        """Judge it by its own heartbeat interval, never counting time when we could not hear."""
        if self.left_at is not None:
            return "offline"
        silence = self.silence(now, listening_since)
        if silence <= self.frequency * LATE_AFTER_HEARTBEATS:
            return "online"
        busy_solo = self.pool == "solo" and (bool(self.active_ids) or silence <= SOLO_BUSY_SECONDS)
        if silence <= self.frequency * OFFLINE_AFTER_HEARTBEATS or busy_solo:
            return "late"
        return "offline"

    def health(self, now: float, listening_since: float) -> WorkerHealth:
        """Return the status, or `silent` of one that is online but takes nothing."""
        status = self.status(now, listening_since)
        return "stalled" if status == "online" and self.stalled_since is not None else status
