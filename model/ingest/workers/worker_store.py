"""The workers, kept from their events and replies."""

from __future__ import annotations

import sys
from typing import Final

from ...entities.broker import Broker, Listening
from ...entities.clock_skew import ClockSkews, MeasuredSkews
from ...entities.cluster.log import EventLog
from ...entities.series.time_series import Marks
from ...entities.task import Loss
from ...entities.worker import (
    LATE_AFTER_HEARTBEATS,
    MAX_PIDS,
    Worker,
    WorkerStatus,
)
from ...entities.worker_starts import restarts_repeatedly, with_start
from ...wire.events import Event
from .unattributed import UnattributedTasks

MAX_WORKERS: Final = 5_000
EVICTED_AT_ONCE: Final = 250
"""Workers evicted at a time, those silent the longest first."""

MAX_ACTIVE_IDS: Final = 10_000
"""Ids of running tasks kept per worker."""

MAX_HELD_IDS: Final = 100_000
"""Ids of reserved, and of scheduled, tasks kept per worker."""

FINAL_EVENT_DELAY: Final = 3.0
"""Seconds for which the final event of a task that its worker no longer runs may still arrive:
workers buffer their events."""

WARM_SHUTDOWN_SECONDS: Final = 600.0
"""Seconds for which a worker's tasks may go on after its `worker-offline`: in a warm shutdown it
sends this event first, then finishes its running tasks, and sends nothing until they end."""
UNREPORTED_END_DELAY: Final = 30.0
"""Seconds for which the result of a task may still be read that its worker no longer runs, if the
worker sends no events."""

MAX_SHARED_AGE: Final = 300.0
"""Seconds since two workers of one name replied to a command after which one of them is gone."""

MIN_FREQUENCY: Final = 0.1
MAX_FREQUENCY: Final = 3600.0


class WorkerStore:
    """Workers by name."""

    def __init__(self, log: EventLog) -> None:
        self.workers: dict[str, Worker] = {}
        self.version = 0
        """Counts up when a worker joins, leaves or changes status."""
        self.marks = Marks()
        """When workers were lost, restarted, started or stopped, and deploys."""
        self.collected = False
        """Whether a collector receives the events, and this session reads what it writes."""
        self._log = log
        self.unattributed = UnattributedTasks(self.workers)
        self._statuses: dict[str, WorkerStatus] = {}
        self._skews = MeasuredSkews()
        self._online: tuple[tuple[float, ...], int] = ((), 0)

    def add_recorded(self, name: str, at: float) -> Worker:
        """Add a worker that the history recorded as not offline until an epoch time."""
        worker = self.workers[name] = Worker(name, last_seen_at=at, sends_heartbeats=True)
        self._statuses[name] = "online"  # until the next tick
        return worker

    def saw_event(self, name: str, timestamp: float, now: float) -> Worker:
        """Return the worker that sent an event received at `now`."""
        worker = self.workers.get(name) or self._join(name, now)
        worker.last_seen_at = now
        if timestamp > worker.newest_event_at:
            worker.newest_event_at = timestamp
        return worker

    def saw_reply(self, name: str, now: float) -> Worker:
        """Return the worker that sent a reply received at `now`."""
        worker = self.workers.get(name) or self._join(name, now)
        # Replies that a collector has stored are read after later heartbeats.
        worker.last_seen_at = max(now, worker.last_seen_at or 0.0)
        if worker.left_at is not None and now - worker.left_at > FINAL_EVENT_DELAY:
            self._return(worker, now)
        return worker

    def saw_process(self, worker: Worker, pid: int, now: float) -> bool:
        """Record the process that sent a heartbeat or `stats` reply; return whether it is new.

        A new process has replaced the one before, or shares its name. The tasks of the one before
        are lost unless it is seen again.
        """
        known = worker.pids
        before = worker.pid
        is_new = before not in (pid, None) and pid not in known
        if is_new:
            seen_at = known.get(before or 0, float("-inf"))
            if worker.shared_at is None:
                _mark_missing(worker, max(now, seen_at + _patience(worker) - FINAL_EVENT_DELAY))
        elif before not in (pid, None):
            worker.pid_returns += 1
            _unmark_missing(worker)
        worker.pid = pid
        known[pid] = now
        if len(known) > MAX_PIDS:
            del known[min(known, key=known.__getitem__)]
        return is_new

    def apply(self, event: Event, now: float) -> None:
        """Apply `worker-online`, `worker-heartbeat` or `worker-offline`."""
        if event.type == "worker-offline":
            self._leave(event, now)
            return
        known = self.workers.get(event.hostname)
        newest = 0.0 if known is None else known.newest_event_at
        worker = self.saw_event(event.hostname, event.timestamp, now)
        if worker.left_at is not None:
            if event.timestamp <= newest:
                return
            self._return(worker, now)
        if event.pid is not None and self.saw_process(worker, event.pid, now):
            _forget_replies(worker)
            self.version += 1
        if event.timestamp < newest:
            return  # late, or of a worker with the same name and a slower clock
        # A heartbeat sent on request has `freq=5` regardless of the worker's interval, and no
        # counts: it only proves that the worker is alive.
        is_regular = event.active is not None or event.processed is not None
        if event.freq is not None and (is_regular or known is None):
            worker.frequency = min(MAX_FREQUENCY, max(MIN_FREQUENCY, event.freq))
        if event.type == "worker-online":
            self.marks.add(now, "started", worker.name)
            self._start(worker, now)
        # `worker-online` comes from the part of a worker that sends its heartbeats.
        if is_regular or event.type == "worker-online":
            worker.sends_heartbeats = True
        if is_regular:
            worker.active, worker.processed = event.active, event.processed
        if event.loadavg:
            worker.load = event.loadavg
        if event.sw_ver is not None:
            worker.software = _shared(event.sw_ident)
            worker.software_version = _shared(event.sw_ver)
            worker.system = _shared(event.sw_sys)
        worker.offsets.append(event.timestamp - now)
        worker.clock_skew = max(worker.offsets)
        self._skews.update(worker.name, worker.clock_skew)
        worker.version += 1

    def received(self, worker: Worker, task_id: str, scheduled: bool) -> None:
        """Record that a worker received a task, if its other tasks are known."""
        held = worker.scheduled_ids if scheduled else worker.reserved_ids
        if held is not None and len(held) < MAX_HELD_IDS:
            held[task_id] = None
            worker.version += 1

    def started(self, worker: Worker, task_id: str) -> None:
        """Record that a worker started a task."""
        active = worker.active_ids
        if worker.missing_ids:
            worker.missing_ids.pop(task_id, None)
        if task_id not in active:
            active[task_id] = None
            if len(active) > MAX_ACTIVE_IDS:
                del active[next(iter(active))]
            worker.version += 1
        if worker.reserved_ids or worker.scheduled_ids or worker.limited_ids:
            _discard(worker, task_id)

    def ended(self, worker: Worker, task_id: str, waits: bool = False) -> None:
        """Record that a worker no longer runs a task, or will not run it.

        Args:
            worker: The worker.
            task_id: The task.
            waits: Whether the worker has received the task's next attempt already.
        """
        if task_id in worker.active_ids:
            del worker.active_ids[task_id]
            worker.version += 1
        if not waits and (worker.reserved_ids or worker.scheduled_ids or worker.limited_ids):
            _discard(worker, task_id)

    def tick(self, now: float, listening: Listening) -> bool:
        """Update and log the workers' statuses; return whether any changed."""
        before = self.version
        for worker in self.workers.values():
            if worker.shared_at is not None and now - worker.shared_at > MAX_SHARED_AGE:
                worker.shared_at = None
                worker.version += 1
            if len(worker.pids) > 1:
                self._drop_silent_pids(worker, listening)
            status = worker.status(listening)
            if status == self._statuses[worker.name]:
                continue
            silence = max(0.0, worker.silence(listening))
            if status == "online":
                self._log.add(now, "info", "worker", f"{worker.name} is back online")
            elif status == "late":
                text = f"{worker.name} is late: no {worker.sign_of_life} for {silence:.0f} s"
                self._log.add(now, "warning", "worker", text)
            else:
                text = f"{worker.name} lost: no {worker.sign_of_life} for {silence:.0f} s"
                text += f", {worker.running_when_lost}" if worker.active_ids else ""
                self._log.add(now, "error", "worker", text)
                self.marks.add(now, "lost", worker.name)
                worker.lost_at = now
                # After such a long silence no final event will follow.
                _mark_missing(worker, now - FINAL_EVENT_DELAY)
            self._set_status(worker, status)
        return self.version != before

    def take_missing(self, broker: Broker, now: float) -> list[tuple[str, Worker, Loss]]:
        """Return tasks that their workers no longer run and whose final events are overdue.

        Only the time counts in which they would have been received.
        """
        found = []
        until, listening_since = broker.observed_until(now), broker.listening(now).since
        for worker in self.workers.values():
            for id_, (since, loss) in list(worker.missing_ids.items()):
                unreported = loss == "unheard" and not worker.events_enabled
                waited = until - max(since, listening_since)
                if waited >= (UNREPORTED_END_DELAY if unreported else FINAL_EVENT_DELAY):
                    loss = "unreported" if unreported else loss
                    del worker.missing_ids[id_]
                    if worker.left_at is None and self._statuses[worker.name] != "offline":
                        worker.active_ids.pop(id_, None)
                    found.append((id_, worker, loss))
        return found

    def _set_status(self, worker: Worker, status: WorkerStatus) -> None:
        self._statuses[worker.name] = status
        worker.version += 1
        self.version += 1

    def status(self, name: str) -> WorkerStatus | None:
        """Return a worker's status at the last tick or event."""
        return self._statuses.get(name)

    def online(self, listening: Listening) -> int:
        """Return how many workers are online, counted once a second and when a status changes."""
        counted = int(listening.until), listening.since, self.version
        if counted != self._online[0]:
            statuses = [worker.status(listening) for worker in self.workers.values()]
            self._online = counted, statuses.count("online")
        return self._online[1]

    @property
    def observed(self) -> bool:
        """Whether the tasks of all workers that are not offline are known as they happen."""
        return self.collected or all(
            worker.events_enabled or self._statuses[name] == "offline"
            for name, worker in self.workers.items()
        )

    @property
    def skews(self) -> ClockSkews:
        """Clock skews of workers that are large enough to matter, in seconds."""
        return self._skews.current

    def skew(self, host: str | None) -> float:
        """Return the seconds that a host's clock is ahead of the local one; 0 if unknown."""
        worker = self.workers.get(host or "")
        return 0.0 if worker is None else worker.clock_skew or 0.0

    def _join(self, name: str, now: float) -> Worker:
        if len(self.workers) >= MAX_WORKERS:
            silent = sorted(self.workers.values(), key=lambda worker: worker.last_seen_at or 0.0)
            for worker in silent[:EVICTED_AT_ONCE]:
                del self.workers[worker.name]
                del self._statuses[worker.name]
                self._skews.update(worker.name, None)
        name = sys.intern(name)
        worker = self.workers[name] = Worker(name, last_seen_at=now)
        self._log.add(now, "info", "worker", f"{name} is online")
        self._set_status(worker, "online")
        return worker

    def _leave(self, event: Event, now: float) -> None:
        worker = self.workers.get(event.hostname)
        if worker is None:
            return
        is_one_of_many = len(worker.pids) > 1 and event.pid in worker.pids
        if is_one_of_many and event.pid and (worker.shares_name or event.pid != worker.pid):
            self._drop_pid(worker, event.pid, now, f"process {event.pid} shut down")
            return
        if event.timestamp < worker.newest_event_at:
            return
        worker.newest_event_at = event.timestamp
        worker.last_seen_at = now
        worker.pids, worker.pid_returns, worker.shared_at = {}, 0, None
        if worker.left_at is None:
            worker.left_at = now
            self._note(worker, now, "shut down")
            self.marks.add(now, "stopped", worker.name)
            _mark_missing(worker, now + WARM_SHUTDOWN_SECONDS - FINAL_EVENT_DELAY)
        self._set_status(worker, "offline")

    def _return(self, worker: Worker, now: float) -> None:
        worker.left_at = None
        self._note(worker, now, "is back online")
        self._set_status(worker, "online")

    def _start(self, worker: Worker, now: float) -> None:
        repeated = restarts_repeatedly(worker.starts, now)
        worker.starts = with_start(worker.starts, now)
        if restarts_repeatedly(worker.starts, now) and not repeated:
            text = f"{worker.name} restarts repeatedly: further restarts are not listed"
            self._log.add(now, "warning", "worker", text)

    def _note(self, worker: Worker, now: float, text: str) -> None:
        """Log that a worker shut down, returned or restarted, unless it does so all the time."""
        if not restarts_repeatedly(worker.starts, now):
            self._log.add(now, "info", "worker", f"{worker.name} {text}")

    def _drop_silent_pids(self, worker: Worker, listening: Listening) -> None:
        for pid, seen_at in list(worker.pids.items()):
            silence = listening.until - max(seen_at, listening.since)
            if pid != worker.pid and silence > _patience(worker):
                text = f"no heartbeat of process {pid} for {silence:.0f} s"
                self._drop_pid(worker, pid, listening.until, text)

    def _drop_pid(self, worker: Worker, pid: int, now: float, text: str) -> None:
        """Forget a process that has ended while another one of the same name goes on."""
        shared = worker.shares_name
        del worker.pids[pid]
        if worker.pid == pid:
            worker.pid = max(worker.pids, key=worker.pids.__getitem__)
        if shared:
            self._log.add(now, "warning", "worker", f"{worker.name}: {text}")
        else:
            self._note(worker, now, "restarted")
            self.marks.add(now, "restarted", worker.name)
            for task_id, (since, loss) in worker.missing_ids.items():
                worker.missing_ids[task_id] = min(now, since), loss
        if len(worker.pids) == 1:
            worker.pid_returns, worker.shared_at = 0, None
        worker.version += 1


def _patience(worker: Worker) -> float:
    """Return the seconds without a heartbeat after which one of several processes has ended."""
    return worker.frequency * LATE_AFTER_HEARTBEATS


def _forget_replies(worker: Worker) -> None:
    worker.reserved_ids = worker.scheduled_ids = None
    worker.limited_ids = {}
    worker.registered = worker.conf = worker.stats = worker.rusage = worker.uptime = None
    worker.processes, worker.max_processes = (), None
    worker.totals = {}
    worker.limits, worker.initial_limits = {}, None
    worker.facts = {}
    worker.events_enabled = None
    worker.offsets.clear()


def _mark_missing(worker: Worker, since: float) -> None:
    for task_id in worker.active_ids:
        known = worker.missing_ids.get(task_id)
        if known is None or known[0] > since:
            worker.missing_ids[task_id] = since, "worker"


def _unmark_missing(worker: Worker) -> None:
    for task_id in [id_ for id_, (_, loss) in worker.missing_ids.items() if loss == "worker"]:
        del worker.missing_ids[task_id]


def _discard(worker: Worker, task_id: str) -> None:
    for held in (worker.reserved_ids, worker.scheduled_ids, worker.limited_ids):
        if held is not None and task_id in held:
            del held[task_id]
            worker.version += 1


def _shared(text: str | None) -> str | None:
    return None if text is None else sys.intern(text)
