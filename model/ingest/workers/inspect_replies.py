"""Applies the workers' replies to inspect commands to the model.

A reply may be outdated when it is applied: it fills in missing fields, creates tasks of which no
event was received, and only moves a task forward.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final, Generic, TypeAlias, TypeVar

from ...entities.fault import Fault
from ...entities.messages.delayed import delayed_route
from ...entities.states import FINISHED, FROM_INSPECT, PENDING, RECEIVED, RETRY, STARTED, WAITING
from ...entities.task import Task
from ...entities.worker import UNLIMITED, Worker
from ...observations import InspectReply
from ...text.coerce import (
    MAX_NAME_LENGTH,
    MAX_TIMESTAMP,
    parse_timestamp,
    to_float,
    to_int,
    to_text,
    truncate,
)
from ...wire.conf import parse_conf
from ...wire.inspect import parse_queue, parse_registration, parse_rusage, pool_name
from ..redaction import Redaction
from ..results.backend_overlay import BackendOverlay
from ..tasks.events.attempts import Attempts
from ..tasks.store.task_store import TaskStore
from .deploys import Deploys
from .revoked_tasks import mark_revoked
from .worker_store import WorkerStore

MAX_ITEMS: Final = 100_000
"""Tasks read from one reply."""
MAX_NAMES: Final = 10_000
"""Registered tasks and processes that are kept for each worker."""
MAX_QUEUES: Final = 1_000
"""Queues that are kept for each worker."""
MAX_SHARED: Final = 16
"""Different values of which workers with an equal one share the copy."""

REPLY_DELAY: Final = 1.0
"""Seconds; a start so shortly before a reply may be more recent than the reply."""

ReplyReader: TypeAlias = Callable[["InspectReplies", Worker, Any, float], None]


T = TypeVar("T")


class Shared(Generic[T]):
    """Lets workers share one copy of equal values, as those of one app have.

    Equal values of workers are then identical, so that a difference is found without comparing.
    """

    def __init__(self) -> None:
        self._latest: deque[T] = deque(maxlen=MAX_SHARED)

    def of(self, value: T) -> T:
        """Return the copy of a value that workers share."""
        for known in self._latest:
            if known == value:
                return known
        self._latest.append(value)
        return value


class InspectReplies:
    """Applies replies to the stores."""

    def __init__(
        self,
        tasks: TaskStore,
        workers: WorkerStore,
        overlay: BackendOverlay,
        redaction: Redaction,
        deploys: Deploys,
    ) -> None:
        self._tasks = tasks
        self._workers = workers
        self._overlay = overlay
        self._attempts = Attempts(tasks)
        self._redaction = redaction
        self._deploys = deploys
        self._shared_confs: Shared[Mapping[str, Any]] = Shared()
        self._shared_names: Shared[tuple[str, ...]] = Shared()

    def apply(self, reply: InspectReply, worker: Worker) -> None:
        """Apply one worker's reply to one command."""
        error = to_text(reply.error, MAX_NAME_LENGTH)
        if error is None and isinstance(reply.reply, Mapping) and "error" in reply.reply:
            error = to_text(reply.reply["error"], MAX_NAME_LENGTH)
        fact = worker.fact(reply.command)
        if error is not None:
            if reply.command == "enable_events":
                worker.events_enabled = False
            fault = Fault("reply", f"{reply.command} failed on the worker: {error}", "")
            worker.facts[reply.command] = fact.failed(reply.at, fault)
        else:
            apply = _READERS.get(reply.command)
            if apply is not None:
                apply(self, worker, reply.reply, reply.at)
            worker.facts[reply.command] = fact.answered(reply.at)
        worker.version += 1

    def _apply_stats(self, worker: Worker, reply: Any, at: float) -> None:
        if not isinstance(reply, Mapping):
            return
        worker.stats = dict(reply)
        pid = to_int(reply.get("pid"))
        if pid is not None:
            self._workers.saw_process(worker, pid, at)
        worker.uptime = to_float(reply.get("uptime"))
        worker.prefetch = to_int(reply.get("prefetch_count"))
        totals = reply.get("total")
        if isinstance(totals, Mapping):
            counts = islice(totals.items(), MAX_NAMES)
            worker.totals = {str(name): to_int(count) or 0 for name, count in counts}
            if not worker.sends_heartbeats:
                # A heartbeat has the same number.
                worker.processed = sum(worker.totals.values())
        pool = reply.get("pool")
        if isinstance(pool, Mapping):
            _set_pool(worker, pool)
        scale = reply.get("autoscaler")
        worker.max_processes = to_int(scale.get("max")) if isinstance(scale, Mapping) else None
        rusage = reply.get("rusage")
        if isinstance(rusage, Mapping):
            worker.rusage = parse_rusage(rusage)

    def _apply_active(self, worker: Worker, reply: Any, at: float) -> None:
        active: dict[str, None] = {}
        for item in _items(reply):
            task = self._task_of(worker, item)
            if task is None:
                continue
            self._mark_active(task, worker, item, active)
        # Tasks that started while the reply was in transit are not in it, nor are those of another
        # process of the same name.
        for id_ in worker.active_ids:
            known = self._tasks.tasks.get(id_)
            if worker.may_share_name and known is not None and known.state not in FINISHED:
                active[id_] = None
                continue
            if id_ in active or known is None or known.started_at is None:
                continue
            if known.started_at - (worker.clock_skew or 0.0) > at - REPLY_DELAY:
                active[id_] = None
            else:
                worker.missing_ids.setdefault(id_, (at, "unheard"))
        worker.active_ids = active

    def _apply_reserved(self, worker: Worker, reply: Any, at: float) -> None:
        found = self._apply_waiting(worker, _items(reply))
        worker.reserved_ids = self._with_other_processes(worker, worker.reserved_ids, found)

    def _apply_scheduled(self, worker: Worker, reply: Any, at: float) -> None:
        items = []
        for entry in _items(reply):
            request = entry.get("request")
            if isinstance(request, Mapping):
                items.append({**request, "eta": entry.get("eta")})
        found = self._apply_waiting(worker, items)
        worker.scheduled_ids = self._with_other_processes(worker, worker.scheduled_ids, found)

    def _with_other_processes(
        self, worker: Worker, known: dict[str, None] | None, found: dict[str, None]
    ) -> dict[str, None]:
        """Return the waiting tasks in a reply, and those of other processes of the same name."""
        if worker.may_share_name:
            for id_ in known or ():
                task = self._tasks.tasks.get(id_)
                if task is not None and task.state in WAITING:
                    found[id_] = None
        return found

    def _apply_waiting(self, worker: Worker, items: Iterable[Mapping[str, Any]]) -> dict[str, None]:
        waiting: dict[str, None] = {}
        for item in items:
            task = self._task_of(worker, item)
            if task is None:
                continue
            if task.lost_at is not None and task.id not in self._overlay.event_states:
                self._attempts.keep_present(task, task.retries)
                self._tasks.move(task, RECEIVED, None, None)
                task.worker = worker.name
            if task.state == PENDING:
                self._tasks.move(task, RECEIVED, None, None)
                task.worker = worker.name
            if task.worker is None:
                task.worker = worker.name
            if task.state in WAITING:
                waiting[task.id] = None
        return waiting

    def _apply_query_task(self, worker: Worker, reply: Any, at: float) -> None:
        if not isinstance(reply, Mapping):
            return
        for found in list(reply.values())[:MAX_ITEMS]:
            if not isinstance(found, list | tuple) or len(found) != 2:
                continue
            where, item = found
            if not isinstance(item, Mapping):
                continue
            if where == "active":
                task = self._task_of(worker, item)
                if task is not None:
                    self._mark_active(task, worker, item, worker.active_ids)
            elif where in ("reserved", "scheduled"):
                self._apply_waiting(worker, [item])

    def _apply_registered(self, worker: Worker, reply: Any, at: float) -> None:
        if isinstance(reply, list | tuple):
            texts = (to_text(text, MAX_NAME_LENGTH) or "" for text in reply[:MAX_NAMES])
            registered = dict(map(parse_registration, texts))
            worker.registered = self._shared_names.of(tuple(sorted(registered)))
            worker.limits = {
                name: limits for name, limits in registered.items() if limits != UNLIMITED
            }
            if worker.initial_limits is None:
                worker.initial_limits = worker.limits
            self._deploys.registered(worker, at)

    def _apply_active_queues(self, worker: Worker, reply: Any, at: float) -> None:
        items = _items(reply, MAX_QUEUES)
        queues = tuple(parse_queue(item) for item in items if item.get("name"))
        if worker.rerouted:
            before = at - REPLY_DELAY  # the reply may be older than the rest
            held = self._tasks.tasks
            for task in self._workers.unattributed.reroute(worker, queues, before, held):
                self._tasks.touch(task)
        if queues == worker.queues:
            return
        worker.queues = queues
        if len(queues) == 1:
            for task in self._tasks.tasks.values():
                if task.queue is None and task.worker == worker.name:
                    task.queue = queues[0].name
                    self._tasks.touch(task)

    def _apply_conf(self, worker: Worker, reply: Any, at: float) -> None:
        if not isinstance(reply, Mapping):
            return
        conf = parse_conf(reply)
        # Results are read by the settings of their backend: patterns must not change these.
        backend = {name: value for name, value in conf.items() if "backend" in name}
        conf = {**self._redaction.value(conf), **backend}
        worker.conf = self._shared_confs.of(conf)

    def _apply_enable_events(self, worker: Worker, reply: Any, at: float) -> None:
        if isinstance(reply, Mapping) and "ok" in reply:
            worker.events_enabled = True

    def _apply_disable_events(self, worker: Worker, reply: Any, at: float) -> None:
        if isinstance(reply, Mapping) and "ok" in reply:
            worker.events_enabled = False

    def _apply_revoked(self, worker: Worker, reply: Any, at: float) -> None:
        mark_revoked(self._tasks, reply, at)

    def _task_of(self, worker: Worker, item: Mapping[str, Any]) -> Task | None:
        """Return the task of an item, created if necessary, with missing fields filled in."""
        id_ = item.get("id")
        if not isinstance(id_, str) or not 0 < len(id_) <= MAX_NAME_LENGTH:
            return None
        id_ = to_text(id_, MAX_NAME_LENGTH) or ""
        task = self._tasks.tasks.get(id_) or self._tasks.add(id_)
        name = item.get("name")
        if task.name is None and isinstance(name, str) and name:
            self._tasks.set_name(task, to_text(name, MAX_NAME_LENGTH) or "")
        if task.args is None:
            self._tasks.texts.set(task, "args", self._argument_text(item.get("args")))
        if task.kwargs is None:
            self._tasks.texts.set(task, "kwargs", self._argument_text(item.get("kwargs")))
        if task.eta_at is None and isinstance(item.get("eta"), str):
            task.eta_at = parse_timestamp(item["eta"])
        self._apply_delivery(task, worker, item)
        task.sources |= FROM_INSPECT
        self._tasks.touch(task)
        return task

    def _argument_text(self, value: Any) -> str | None:
        """Return arguments as text: as written by Celery, or as the repr of the values."""
        if value is None:
            return None
        if isinstance(value, str):
            return self._redaction.text_or_none(to_text(value))
        try:
            value = self._redaction.value(value)
            return truncate(repr(tuple(value) if isinstance(value, list) else value))
        except RecursionError:
            return "?"

    def _apply_delivery(self, task: Task, worker: Worker, item: Mapping[str, Any]) -> None:
        info = item.get("delivery_info")
        delivery: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
        exchange = to_text(delivery.get("exchange"), MAX_NAME_LENGTH)
        routing_key = to_text(delivery.get("routing_key"), MAX_NAME_LENGTH)
        if task.queue is None and routing_key:
            queue = _queue_name(worker, exchange, routing_key)
            task.queue = None if queue is None else sys.intern(queue)
        acknowledged, redelivered = item.get("acknowledged"), delivery.get("redelivered")
        task.set_extra(
            exchange=exchange,
            routing_key=routing_key,
            priority=to_int(delivery.get("priority")),
            pid=to_int(item.get("worker_pid")),
            redelivered=redelivered if isinstance(redelivered, bool) else None,
        )
        # Before a task starts, its message is never acknowledged.
        if isinstance(acknowledged, bool) and item.get("time_start") is not None:
            self._tasks.set_acknowledged(task, acknowledged)

    def _mark_active(
        self, task: Task, worker: Worker, item: Mapping[str, Any], active: dict[str, None]
    ) -> None:
        """Record that a worker was running a task when it replied."""
        started_at = to_float(item.get("time_start"))
        if started_at is not None and 0 < started_at <= MAX_TIMESTAMP:
            backend = self._overlay.remove(task) if task.id in self._overlay.event_states else None
            self._mark_started(task, worker, started_at)
            if backend is not None:
                self._overlay.reapply(task, backend)
        if task.state not in FINISHED:
            active[task.id] = None
            worker.missing_ids.pop(task.id, None)
            self._tasks.mark_running(task)

    def _mark_started(self, task: Task, worker: Worker, started_at: float) -> None:
        if task.lost_at is not None and (
            task.worker != worker.name or started_at > (task.started_at or started_at) + REPLY_DELAY
        ):
            self._attempts.keep_present(task, task.retries)
            task.started_at = started_at
            task.worker = worker.name
            self._tasks.move(task, STARTED, started_at, None)
            return
        ended_before = task.finished_at is None or started_at > task.finished_at
        if task.state in (PENDING, RECEIVED) or (task.state == RETRY and ended_before):
            if task.started_at is None:
                task.started_at = started_at
            task.worker = worker.name
            self._tasks.move(task, STARTED, started_at, None)
        elif task.started_at is None and task.state not in FINISHED:
            task.started_at = started_at


def _set_pool(worker: Worker, pool: Mapping[str, Any]) -> None:
    implementation = to_text(pool.get("implementation"), MAX_NAME_LENGTH)
    if implementation is not None:
        worker.pool = pool_name(implementation)
    worker.concurrency = to_int(pool.get("max-concurrency"))
    processes = pool.get("processes")
    if isinstance(processes, list | tuple):
        pids = (to_int(pid) for pid in processes[:MAX_NAMES])
        worker.processes = tuple(pid for pid in pids if pid is not None)


def _queue_name(worker: Worker, exchange: str | None, routing_key: str) -> str | None:
    """Return a message's queue; None if its bindings are unknown.

    By Celery's default, and through the default exchange, the routing key is the queue's name. A
    message of delayed delivery has lost the name of its exchange.
    """
    consumed = worker.queues or ()
    delayed = delayed_route(routing_key)
    if delayed is not None:
        routing_key = delayed.routing_key
        exchange = next((one.exchange for one in consumed if one.routing_key == routing_key), None)
    if any(queue.name == routing_key for queue in consumed):
        return routing_key
    for queue in consumed:
        if exchange and (queue.exchange, queue.routing_key) == (exchange, routing_key):
            return queue.name
    if len(consumed) == 1:
        return consumed[0].name
    return routing_key if not exchange or exchange == routing_key else None


def _items(reply: Any, limit: int = MAX_ITEMS) -> list[Mapping[str, Any]]:
    if not isinstance(reply, list | tuple):
        return []
    return [item for item in reply[:limit] if isinstance(item, Mapping)]


_READERS: Final[dict[str, ReplyReader]] = {
    "stats": InspectReplies._apply_stats,
    "active": InspectReplies._apply_active,
    "reserved": InspectReplies._apply_reserved,
    "scheduled": InspectReplies._apply_scheduled,
    "query_task": InspectReplies._apply_query_task,
    "registered": InspectReplies._apply_registered,
    "active_queues": InspectReplies._apply_active_queues,
    "conf": InspectReplies._apply_conf,
    "revoked": InspectReplies._apply_revoked,
    "enable_events": InspectReplies._apply_enable_events,
    "disable_events": InspectReplies._apply_disable_events,
}
