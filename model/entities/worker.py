"""A worker, as known from its events and inspect replies."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from ..text.coerce import to_float
from .broker import Listening
from .fact import NEVER_ASKED, Fact
from .task import Loss

WorkerStatus: TypeAlias = Literal["online", "late", "offline"]
WorkerHealth: TypeAlias = Literal["online", "draining", "stalled", "late", "offline", "unknown"]

LATE_AFTER_HEARTBEATS: Final = 3.0
OFFLINE_AFTER_HEARTBEATS: Final = 8.0
"""Heartbeat intervals (2 s by default) without an event. Celery's own window of 2 intervals is too
short: a solo pool sends nothing while a task runs, and a slow link delays by seconds."""

LATE_AFTER_SILENCE: Final = 10.0
"""Seconds without a reply after which a worker that sends no heartbeats is late."""
OFFLINE_AFTER_SILENCE: Final = 45.0
"""Seconds without a reply after which a worker that sends no heartbeats is offline: it has then
left several commands unanswered."""

SOLO_BUSY_SECONDS: Final = 600.0
"""Seconds without events after which a worker with a solo pool is offline: it sends nothing while
it runs a task, not even that it started one."""

MAX_OFFSETS: Final = 8

ALTERNATIONS: Final = 2
"""Returns of a process after another (A, B, A, B) that prove that two workers share a name; a
single heartbeat of a process that has ended may arrive late."""

MAX_PIDS: Final = 32
"""Processes kept per worker."""

CONF_DEFAULTS: Final[Mapping[str, Any]] = {
    "accept_content": ["json"],
    "beat_cron_starting_deadline": None,
    "beat_max_loop_interval": 0,
    "beat_schedule": {},
    "beat_schedule_filename": "celerybeat-schedule",
    "beat_scheduler": "celery.beat:PersistentScheduler",
    "beat_sync_every": 0,
    "broker_read_url": None,
    "broker_transport_options": {},
    "broker_url": None,
    "enable_utc": True,
    "result_backend": None,
    "result_expires": 86_400,
    "result_extended": False,
    "result_serializer": "json",
    "task_acks_late": False,
    "task_always_eager": False,
    "task_create_missing_queues": True,
    "task_default_queue": "celery",
    "task_default_queue_type": "classic",
    "task_default_rate_limit": None,
    "task_ignore_result": False,
    "task_queues": None,
    "task_reject_on_worker_lost": None,
    "task_routes": None,
    "task_send_sent_event": False,
    "task_serializer": "json",
    "task_soft_time_limit": None,
    "task_time_limit": None,
    "task_track_started": False,
    "timezone": None,
    "worker_concurrency": None,
    "worker_disable_rate_limits": False,
    "worker_max_memory_per_child": None,
    "worker_max_tasks_per_child": None,
    "worker_pool_restarts": False,
    "worker_prefetch_multiplier": 4,
    "worker_send_task_events": False,
}
"""Celery's defaults of the settings that matter here, the same from Celery 4.4 to 5.7
(`celery.app.defaults`). Workers report only settings that differ: asked for all, each would send
another 208."""

BEAT_PREFIX: Final = "celerybeat@"
"""Prefix of beat's node name (Celery 5.7): it replies to ping, but is not a worker."""


class WorkerQueue(msgspec.Struct, frozen=True, gc=False):
    """A queue that a worker consumes from, by `inspect active_queues`."""

    name: str
    exchange: str | None = None
    exchange_type: str | None = None
    routing_key: str | None = None


class Limits(msgspec.Struct, frozen=True, gc=False):
    """A worker's limits for one task type, by `inspect registered`."""

    rate: str | None = None
    """Such as `10/m`; None is no limit."""
    soft: float | None = None
    """Soft time limit in seconds; None is the worker's default, usually no limit."""
    hard: float | None = None
    """Hard time limit in seconds; None is the worker's default."""


UNLIMITED: Final = Limits()


class Outcomes(msgspec.Struct, frozen=True, gc=False):
    """How many runs of tasks have ended, by outcome."""

    succeeded: int = 0
    failed: int = 0
    retried: int = 0

    @property
    def ended(self) -> int:
        """All of them."""
        return self.succeeded + self.failed + self.retried


NOTHING_ENDED: Final = Outcomes()


class Rusage(msgspec.Struct, frozen=True, gc=False):
    """`getrusage` of the worker's main process without its children."""

    user_s: float = 0.0
    system_s: float = 0.0
    rss_bytes: int = 0
    """Peak resident set size in bytes."""
    page_faults: int = 0
    voluntary_switches: int = 0
    involuntary_switches: int = 0


class Worker(msgspec.Struct, eq=False):
    """One worker node. Times are epoch seconds by the local clock unless stated otherwise."""

    name: str
    version: int = 0
    """Counts up with each visible change."""
    last_seen_at: float | None = None
    """When the last event or reply of it was received."""
    frequency: float = 2.0
    """Heartbeat interval in seconds."""
    left_at: float | None = None
    """When it shut down (`worker-offline`)."""
    starts: tuple[float, ...] = ()
    """When it came online (`worker-online`), in the minutes before it last did so."""
    lost_at: float | None = None
    """When it was last found to be lost; it stays lost until an event or reply of it arrives."""
    newest_event_at: float = 0.0
    """The newest event timestamp by its own clock; older events must not overwrite newer ones."""
    offsets: deque[float] = msgspec.field(default_factory=lambda: deque(maxlen=MAX_OFFSETS))
    """Its clock minus the local one at its last heartbeats, each too low by the network latency."""
    clock_skew: float | None = None
    """Seconds that its clock is ahead of the local one, accurate to the network latency."""
    pid: int | None = None
    """The main process that sent the latest heartbeat or `stats` reply."""
    pids: dict[int, float] = {}
    """When each main process of this name last sent a heartbeat or `stats` reply. If there are two,
    the worker has restarted, or two workers share the name."""
    pid_returns: int = 0
    """How often one of `pids` was seen again after another."""
    shared_at: float | None = None
    """When two workers of this name last replied to the same command, in the last minutes. Their
    pids may be equal, as in containers."""
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
    max_processes: int | None = None
    """To how many processes `--autoscale` grows the pool; None if it does not."""
    prefetch: int | None = None
    uptime: float | None = None
    rusage: Rusage | None = None
    totals: dict[str, int] = {}
    """Tasks accepted since it started, by task name."""
    queues: tuple[WorkerQueue, ...] | None = None
    active_ids: dict[str, None] = {}
    """Ids of its running tasks in order of start, from the latest reply and the events since. (A
    dict serves as an ordered set: a gevent worker runs thousands.)"""
    missing_ids: dict[str, tuple[float, Loss]] = {}
    """Tasks that it no longer runs though no final event was received: since when, and why they
    would be lost. The event may still be in transit. The time is in the future while it is open
    whether the process that ran them has ended."""
    reserved_ids: dict[str, None] | None = None
    """Ids of its reserved tasks; None before the first reply."""
    scheduled_ids: dict[str, None] | None = None
    """Ids of its scheduled tasks (ETA or countdown); None before the first reply."""
    limited_ids: dict[str, str] = {}
    """Tasks that it holds back by a rate limit, as found by the latest scans: names by id."""
    registered: tuple[str, ...] | None = None
    """Sorted task names without Celery's own."""
    limits: dict[str, Limits] = {}
    """Limits by task name, for types that have any."""
    initial_limits: dict[str, Limits] | None = None
    """The limits at the first reply since it started: the values that can be restored."""
    conf: Mapping[str, Any] | None = None
    """Its settings that differ from Celery's defaults, by today's names, in plain JSON values;
    None before the first reply. See `setting`."""
    stats: dict[str, Any] | None = None
    """The complete `inspect stats` reply, for the worker screen."""
    facts: dict[str, Fact] = {}
    """The questions to it since it started, by inspect command."""
    unanswered_at: float | None = None
    """When a round of commands ended of which it answered none. It may answer some only: a reply
    that cannot be encoded is never sent."""
    events_enabled: bool | None = None
    """Whether it sends task events; None if unknown. False if it cannot: it was started without
    gossip and heartbeats, so that it has no event dispatcher, and without `-E`."""
    sends_heartbeats: bool = False
    """Whether it has sent a heartbeat by itself, and not only on request."""
    unattributed: dict[str, float] = {}
    """The newest tasks that it received from an unknown queue, with the local time, by id."""
    rerouted: dict[str, float] = {}
    """The newest tasks that it received although it had not reported to consume their queue, with
    the local time, by id: it has begun to, or the broker has dead-lettered their messages."""
    stalled_since: float | None = None
    """Since when it has been sending heartbeats, but taking no tasks from its non-empty queues
    despite free capacity; None if it is working normally."""
    idle_since: float | None = None
    """Since when tasks have been available to it, before it counts as stalled."""
    idle_counts: tuple[int, int] = (0, 0)
    """Tasks received and processed at `idle_since`."""
    draining: bool = False
    """Whether a drain of this session has stopped its consumers, or is about to: it is shut down
    when it has finished its tasks."""
    received: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0
    """Events received since celtop started; `processed` counts since the worker started."""
    earlier: Outcomes = NOTHING_ENDED
    """What ended in the hour before celtop started, according to a collector's history."""

    @property
    def failed_of_seen(self) -> tuple[int, int] | None:
        """How many runs failed, of those whose outcome is known; None if it sends no events.

        A worker reports only how many tasks it has processed since it started.
        """
        if self.events_enabled is False:
            return None
        return self.failed + self.earlier.failed, self.ended + self.earlier.ended

    @property
    def ended(self) -> int:
        """The runs that have ended since celtop started, whose outcome is known."""
        return self.succeeded + self.failed + self.retried

    @property
    def id(self) -> str:
        """The name: the row's id in tables."""
        return self.name

    def fact(self, command: str) -> Fact:
        """Return what is known about an inspect command."""
        return self.facts.get(command, NEVER_ASKED)

    def setting(self, name: str) -> Any:
        """Return a setting, or Celery's default of it; None if its settings are unknown."""
        return None if self.conf is None else self.conf.get(name, CONF_DEFAULTS.get(name))

    def time_limit(self, task: str) -> float | None:
        """Return the seconds after which it ends a task of a type, or should end itself.

        None if there is no such limit, or if it is unknown. A call may set another one.
        """
        own, pool = self.limits.get(task, UNLIMITED), (self.stats or {}).get("pool")
        timeouts = pool.get("timeouts") if isinstance(pool, dict) else None
        soft, hard = timeouts if isinstance(timeouts, list) and len(timeouts) == 2 else (None, None)
        limits = (
            *(own.hard, hard, self.setting("task_time_limit")),
            *(own.soft, soft, self.setting("task_soft_time_limit")),
        )
        return next((limit for each in limits if (limit := to_float(each))), None)

    @property
    def inspected_at(self) -> float | None:
        """When its latest reply to an inspect command was received."""
        return max(
            (one.answered_at for one in self.facts.values() if one.answered_at), default=None
        )

    @property
    def running(self) -> int | None:
        """How many tasks it runs; None if neither a heartbeat nor a reply has reported it.

        The ids follow each event; the number in a heartbeat is up to an interval old, but counts
        also tasks that could not be listed.
        """
        listed = self.fact("active")
        if listed.is_answered or (listed.answered_at is not None and self.events_enabled):
            return len(self.active_ids)
        return self.active

    @property
    def slots(self) -> int | None:
        """How many tasks it can run at once; None if unknown.

        A pool with autoscale grows as soon as there are tasks for more processes.
        """
        return self.max_processes or len(self.processes) or self.concurrency

    @property
    def hoarded(self) -> int | None:
        """How many reserved tasks have no free slot in it; None if unknown."""
        if self.reserved_ids is None or self.running is None or self.slots is None:
            return None
        return max(0, len(self.reserved_ids) - max(0, self.slots - self.running))

    @property
    def started_at(self) -> float | None:
        """When it started, by the local clock; None if unknown."""
        stats_at = self.fact("stats").answered_at
        return None if stats_at is None or self.uptime is None else stats_at - self.uptime

    def uptime_at(self, now: float) -> float | None:
        """Return the seconds that it has been running at `now`, or when it was last seen."""
        started = self.started_at
        if started is None:
            return self.uptime
        return max(0.0, min(now, self.last_seen_at or now) - started)

    @property
    def shares_name(self) -> bool:
        """Whether several workers have this node name.

        They reply to the same command, or their heartbeats alternate.
        """
        alternate = self.pid_returns >= ALTERNATIONS and len(self.pids) > 1
        return alternate or self.shared_at is not None

    @property
    def may_share_name(self) -> bool:
        """Whether another worker may have this node name: what one reply lacks, it may have."""
        return len(self.pids) > 1 or self.shared_at is not None

    @property
    def running_when_lost(self) -> str:
        """Its running tasks in a log line about its loss."""
        running = len(self.active_ids)
        return "1 task was running" if running == 1 else f"{running:,} tasks were running"

    @property
    def sign_of_life(self) -> str:
        """The evidence that it is running, in words."""
        return "heartbeat" if self.sends_heartbeats else "reply"

    @property
    def seen_until(self) -> float | None:
        """When it shut down, otherwise when it was last seen; None if unknown."""
        return self.left_at or self.last_seen_at

    def silence(self, listening: Listening) -> float:
        """Return the seconds without an event or reply in which one would have been received."""
        return listening.until - max(self.last_seen_at or 0.0, listening.since)

    def status(self, listening: Listening) -> WorkerStatus:
        """Return the status by its heartbeat interval, given when events could be received."""
        if self.left_at is not None:
            return "offline"
        if self.lost_at is not None and (self.last_seen_at or 0.0) <= self.lost_at:
            return "offline"
        silence = self.silence(listening)
        if not self.sends_heartbeats:
            return self._status_by_replies(silence)
        if silence <= self.frequency * LATE_AFTER_HEARTBEATS:
            return "online"
        busy_solo = self.pool == "solo" and (bool(self.active_ids) or silence <= SOLO_BUSY_SECONDS)
        if silence <= self.frequency * OFFLINE_AFTER_HEARTBEATS or busy_solo:
            return "late"
        return "offline"

    def _status_by_replies(self, silence: float) -> WorkerStatus:
        """Return the status of a worker without heartbeats: silence proves nothing by itself."""
        answers = (self.unanswered_at or 0.0) <= (self.last_seen_at or 0.0)
        if answers or silence <= LATE_AFTER_SILENCE:
            return "online"
        busy_solo = self.pool == "solo" and silence <= SOLO_BUSY_SECONDS
        return "late" if busy_solo or silence <= OFFLINE_AFTER_SILENCE else "offline"

    def health(self, listening: Listening) -> WorkerHealth:
        """Return the status; for an online worker that takes no tasks `draining` or `stalled`.

        It is `unknown` while no event can be received, unless the worker was offline before.
        """
        status = self.status(listening)
        if status != "offline" and not listening.is_live:
            return "unknown"
        if status == "online" and self.draining:
            return "draining"
        return "stalled" if status == "online" and self.stalled_since is not None else status
