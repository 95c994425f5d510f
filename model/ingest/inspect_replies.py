"""What workers answer to `inspect`, taken over into the model.

An answer is a look at a moment that has passed: it fills in what is missing, creates tasks that
no event told of, and moves a task forward at most. What events know to be further stays.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from ..entities.states import FINISHED, FROM_INSPECT, PENDING, RECEIVED, RETRY, STARTED, WAITING
from ..entities.task import Task, TaskExtra
from ..entities.worker import UNLIMITED, Limits, Rusage, Worker, WorkerQueue
from ..observations import InspectReply
from ..text.coerce import (
    MAX_NAME_LENGTH,
    MAX_TIMESTAMP,
    parse_timestamp,
    to_float,
    to_int,
    to_text,
    truncate,
)
from ..text.parse import reported_rate
from .attempts import Attempts
from .backend_overlay import BackendOverlay
from .redaction import Redaction
from .task_store import TaskStore

MAX_ITEMS: Final = 100_000
"""How many items of one answer are looked at."""

REPLY_DELAY: Final = 1.0
"""A start heard so shortly before an answer may be younger than the answer."""

ReplyReader: TypeAlias = Callable[["InspectReplies", Worker, Any, float], None]


class InspectReplies:
    """Applies answers to the stores."""

    def __init__(
        self, tasks: TaskStore, overlay: BackendOverlay, redaction: Redaction | None = None
    ) -> None:
        self._tasks = tasks
        self._overlay = overlay
        self._attempts = Attempts(tasks)
        self._redaction = redaction or Redaction()

    def apply(self, answer: InspectReply, worker: Worker) -> None:
        """Take over one worker's answer to one command."""
        error = to_text(answer.error, MAX_NAME_LENGTH)
        if error is None and isinstance(answer.reply, Mapping) and "error" in answer.reply:
            error = to_text(answer.reply["error"], MAX_NAME_LENGTH)
        if error is not None:
            worker.inspect_error = f"{answer.command}: {error}"
        else:
            take = _READERS.get(answer.command)
            if take is not None:
                take(self, worker, answer.reply, answer.at)
            worker.inspected_at = answer.at
            if (worker.inspect_error or "").startswith(f"{answer.command}:"):
                worker.inspect_error = None
        worker.version += 1

    def _take_stats(self, worker: Worker, reply: Any, at: float) -> None:
        if not isinstance(reply, Mapping):
            return
        worker.stats = dict(reply)
        worker.pid = to_int(reply.get("pid")) or worker.pid
        worker.uptime = to_float(reply.get("uptime"))
        worker.prefetch = to_int(reply.get("prefetch_count"))
        totals = reply.get("total")
        if isinstance(totals, Mapping):
            worker.totals = {str(name): to_int(count) or 0 for name, count in totals.items()}
        pool = reply.get("pool")
        if isinstance(pool, Mapping):
            _set_pool(worker, pool)
        rusage = reply.get("rusage")
        if isinstance(rusage, Mapping):
            worker.rusage = _rusage(rusage)

    def _take_active(self, worker: Worker, reply: Any, at: float) -> None:
        active: dict[str, None] = {}
        for item in _items(reply):
            task = self._task(worker, item)
            if task is None:
                continue
            self._run(task, worker, item, active)
        # What was heard to start while the answer was on its way is not in it.
        for id_ in worker.active_ids:
            known = self._tasks.tasks.get(id_)
            if id_ in active or known is None or known.started_at is None:
                continue
            if known.started_at - (worker.clock_skew or 0.0) > at - REPLY_DELAY:
                active[id_] = None
            else:
                worker.missing_ids.setdefault(id_, (at, "unheard"))
        worker.active_ids = active

    def _take_reserved(self, worker: Worker, reply: Any, at: float) -> None:
        worker.reserved_ids = self._take_waiting(worker, _items(reply))

    def _take_scheduled(self, worker: Worker, reply: Any, at: float) -> None:
        items = []
        for entry in _items(reply):
            request = entry.get("request")
            if isinstance(request, Mapping):
                items.append({**request, "eta": entry.get("eta")})
        worker.scheduled_ids = self._take_waiting(worker, items)

    def _take_waiting(self, worker: Worker, items: Iterable[Mapping[str, Any]]) -> dict[str, None]:
        waiting: dict[str, None] = {}
        for item in items:
            task = self._task(worker, item)
            if task is None:
                continue
            if task.lost_at is not None and task.id not in self._overlay.event_states:
                self._attempts.keep_present(task, task.retries)
                self._tasks.move(task, RECEIVED, None, None)
                task.worker = worker.name
            if task.state == PENDING:
                self._tasks.move(task, RECEIVED, None, None)
                task.worker = worker.name
            if task.state in WAITING:
                waiting[task.id] = None
        return waiting

    def _take_queried(self, worker: Worker, reply: Any, at: float) -> None:
        if not isinstance(reply, Mapping):
            return
        for found in list(reply.values())[:MAX_ITEMS]:
            if not isinstance(found, list | tuple) or len(found) != 2:
                continue
            where, item = found
            if not isinstance(item, Mapping):
                continue
            if where == "active":
                task = self._task(worker, item)
                if task is not None:
                    self._run(task, worker, item, worker.active_ids)
            elif where in ("reserved", "scheduled"):
                self._take_waiting(worker, [item])

    def _take_registered(self, worker: Worker, reply: Any, at: float) -> None:
        if isinstance(reply, list | tuple):
            texts = (to_text(text, MAX_NAME_LENGTH) or "" for text in reply[:MAX_ITEMS])
            told = dict(map(_registration, texts))
            worker.registered = tuple(sorted(told))
            worker.limits = {name: limits for name, limits in told.items() if limits != UNLIMITED}
            if worker.initial_limits is None:
                worker.initial_limits = worker.limits

    def _take_queues(self, worker: Worker, reply: Any, at: float) -> None:
        queues = tuple(_queue(item) for item in _items(reply) if item.get("name"))
        if queues == worker.queues:
            return
        worker.queues = queues
        if len(queues) == 1:
            for task in self._tasks.tasks.values():
                if task.queue is None and task.worker == worker.name:
                    task.queue = queues[0].name
                    self._tasks.touch(task)

    def _take_conf(self, worker: Worker, reply: Any, at: float) -> None:
        if isinstance(reply, Mapping):
            worker.conf = {str(name): value for name, value in reply.items()}

    def _take_events_enabled(self, worker: Worker, reply: Any, at: float) -> None:
        if isinstance(reply, Mapping) and "ok" in reply:
            worker.events_enabled = True

    def _task(self, worker: Worker, item: Mapping[str, Any]) -> Task | None:
        """Return the task of an item, new if need be, with what was missing filled in."""
        id_ = item.get("id")
        if not isinstance(id_, str) or not 0 < len(id_) <= MAX_NAME_LENGTH:
            return None
        id_ = to_text(id_, MAX_NAME_LENGTH) or ""
        task = self._tasks.tasks.get(id_)
        if task is None:
            task = self._tasks.add(id_)
        name = item.get("name")
        if task.name is None and isinstance(name, str) and name:
            self._tasks.set_name(task, to_text(name, MAX_NAME_LENGTH) or "")
        if task.args is None:
            self._tasks.set_text(task, "args", self._arguments(item.get("args")))
        if task.kwargs is None:
            self._tasks.set_text(task, "kwargs", self._arguments(item.get("kwargs")))
        if task.eta_at is None and isinstance(item.get("eta"), str):
            task.eta_at = parse_timestamp(item["eta"])
        self._take_delivery(task, worker, item)
        task.sources |= FROM_INSPECT
        self._tasks.touch(task)
        return task

    def _arguments(self, value: Any) -> str | None:
        """Return arguments as text: as Celery wrote them, or as the repr of what was sent."""
        if value is None:
            return None
        if isinstance(value, str):
            return self._redaction.maybe(to_text(value))
        try:
            value = self._redaction.value(value)
            return truncate(repr(tuple(value) if isinstance(value, list) else value))
        except RecursionError:
            return "?"

    def _take_delivery(self, task: Task, worker: Worker, item: Mapping[str, Any]) -> None:
        info = item.get("delivery_info")
        delivery: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
        exchange = to_text(delivery.get("exchange"), MAX_NAME_LENGTH)
        routing_key = to_text(delivery.get("routing_key"), MAX_NAME_LENGTH)
        if task.queue is None and routing_key:
            task.queue = sys.intern(_queue_name(worker, exchange, routing_key))
        acknowledged, redelivered = item.get("acknowledged"), delivery.get("redelivered")
        task.extra = msgspec.structs.replace(
            task.extra or TaskExtra(),
            exchange=exchange,
            routing_key=routing_key,
            priority=to_int(delivery.get("priority")),
            pid=to_int(item.get("worker_pid")),
            acknowledged=acknowledged if isinstance(acknowledged, bool) else None,
            redelivered=redelivered if isinstance(redelivered, bool) else None,
        )

    def _run(
        self, task: Task, worker: Worker, item: Mapping[str, Any], active: dict[str, None]
    ) -> None:
        """Note that a worker was at work on a task when it answered."""
        started_at = to_float(item.get("time_start"))
        if started_at is not None and 0 < started_at <= MAX_TIMESTAMP:
            backend = self._overlay.remove(task) if task.id in self._overlay.event_states else None
            self._run_since(task, worker, started_at)
            if backend is not None:
                self._overlay.reapply(task, backend)
        if task.state not in FINISHED:
            active[task.id] = None
            worker.missing_ids.pop(task.id, None)
            self._tasks.mark_running(task)

    def _run_since(self, task: Task, worker: Worker, started_at: float) -> None:
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


def _registration(text: str) -> tuple[str, Limits]:
    """Read a line of `inspect registered`: `shop.bill [rate_limit=10/m time_limit=60]`."""
    name, bracket, told = text.rpartition(" [")
    if not bracket or not told.endswith("]"):
        return sys.intern(text), UNLIMITED
    pairs = [pair.partition("=") for pair in told[:-1].split(" ")]
    known = {key: value for key, sign, value in pairs if sign}
    if len(known) != len(pairs):
        return sys.intern(text), UNLIMITED
    limits = Limits(
        reported_rate(known.get("rate_limit", "")),
        to_float(known.get("soft_time_limit")),
        to_float(known.get("time_limit")),
    )
    return sys.intern(name), limits


def _set_pool(worker: Worker, pool: Mapping[str, Any]) -> None:
    implementation = to_text(pool.get("implementation"), MAX_NAME_LENGTH)
    if implementation is not None:
        worker.pool = _pool_name(implementation)
    worker.concurrency = to_int(pool.get("max-concurrency"))
    processes = pool.get("processes")
    if isinstance(processes, list | tuple):
        pids = (to_int(pid) for pid in processes[:MAX_ITEMS])
        worker.processes = tuple(pid for pid in pids if pid is not None)


def _pool_name(implementation: str) -> str:
    """Return `prefork` for `celery.concurrency.prefork:TaskPool`; others by their class."""
    module, _, class_name = implementation.partition(":")
    if module.startswith("celery.concurrency."):
        short = module.rpartition(".")[2]
        return {"thread": "threads"}.get(short, short)
    return class_name or implementation


def _rusage(reply: Mapping[str, Any]) -> Rusage:
    return Rusage(
        user_s=to_float(reply.get("utime")) or 0.0,
        system_s=to_float(reply.get("stime")) or 0.0,
        rss_bytes=(to_int(reply.get("maxrss")) or 0) * 1024,
        page_faults=to_int(reply.get("majflt")) or 0,
        voluntary_switches=to_int(reply.get("nvcsw")) or 0,
        involuntary_switches=to_int(reply.get("nivcsw")) or 0,
    )


def _queue(item: Mapping[str, Any]) -> WorkerQueue:
    exchange = item.get("exchange")
    described: Mapping[str, Any] = exchange if isinstance(exchange, Mapping) else {}
    return WorkerQueue(
        sys.intern(to_text(item["name"], MAX_NAME_LENGTH) or ""),
        to_text(described.get("name"), MAX_NAME_LENGTH),
        to_text(described.get("type"), MAX_NAME_LENGTH),
        to_text(item.get("routing_key"), MAX_NAME_LENGTH),
    )


def _queue_name(worker: Worker, exchange: str | None, routing_key: str) -> str:
    """Return a message's queue: by Celery's default the routing key is its name."""
    consumed = worker.queues or ()
    if any(queue.name == routing_key for queue in consumed):
        return routing_key
    for queue in consumed:
        if exchange and (queue.exchange, queue.routing_key) == (exchange, routing_key):
            return queue.name
    return consumed[0].name if len(consumed) == 1 else routing_key


def _items(reply: Any) -> list[Mapping[str, Any]]:
    if not isinstance(reply, list | tuple):
        return []
    return [item for item in reply[:MAX_ITEMS] if isinstance(item, Mapping)]


_READERS: Final[dict[str, ReplyReader]] = {
    "stats": InspectReplies._take_stats,
    "active": InspectReplies._take_active,
    "reserved": InspectReplies._take_reserved,
    "scheduled": InspectReplies._take_scheduled,
    "query_task": InspectReplies._take_queried,
    "registered": InspectReplies._take_registered,
    "active_queues": InspectReplies._take_queues,
    "conf": InspectReplies._take_conf,
    "enable_events": InspectReplies._take_events_enabled,
}
