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
from ..text.coerce import LATEST_TIME, LONGEST_NAME, cut_text, epoch, number, plain_text, whole
from .attempts import Attempts
from .backend_overlay import BackendOverlay
from .redaction import Redaction
from .task_store import TaskStore

ITEMS_KEPT: Final = 100_000
"""How many items of one answer are looked at."""

STALE_SECONDS: Final = 1.0
"""A start heard so shortly before an answer may be younger than the answer."""

Taken: TypeAlias = Callable[["InspectReplies", Worker, Any, float], None]


class InspectReplies:
    """Applies answers to the stores."""

    def __init__(
        self, tasks: TaskStore, claims: BackendOverlay, redaction: Redaction | None = None
    ) -> None:
        self._tasks = tasks
        self._claims = claims
        self._attempts = Attempts(tasks)
        self._redaction = redaction or Redaction()

    def apply(self, answer: InspectReply, worker: Worker) -> None:
        """Take over one worker's answer to one command."""
        error = plain_text(answer.error, LONGEST_NAME)
        if error is None and isinstance(answer.reply, Mapping) and "error" in answer.reply:
            error = plain_text(answer.reply["error"], LONGEST_NAME)
        if error is not None:
            worker.inspect_error = f"{answer.command}: {error}"
        else:
            take = _TAKERS.get(answer.command)
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
        worker.pid = whole(reply.get("pid")) or worker.pid
        worker.uptime = number(reply.get("uptime"))
        worker.prefetch = whole(reply.get("prefetch_count"))
        totals = reply.get("total")
        if isinstance(totals, Mapping):
            worker.totals = {str(name): whole(count) or 0 for name, count in totals.items()}
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
            if known.started_at - (worker.clock_skew or 0.0) > at - STALE_SECONDS:
                active[id_] = None
            else:
                worker.missed_ids.setdefault(id_, (at, "unheard"))
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
            if task.lost_at is not None and task.id not in self._claims.bases:
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
        for found in list(reply.values())[:ITEMS_KEPT]:
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
            texts = (plain_text(text, LONGEST_NAME) or "" for text in reply[:ITEMS_KEPT])
            told = dict(map(_registration, texts))
            worker.registered = tuple(sorted(told))
            worker.limits = {name: limits for name, limits in told.items() if limits != UNLIMITED}
            if worker.first_limits is None:
                worker.first_limits = worker.limits

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
        if not isinstance(id_, str) or not 0 < len(id_) <= LONGEST_NAME:
            return None
        id_ = plain_text(id_, LONGEST_NAME) or ""
        task = self._tasks.tasks.get(id_)
        if task is None:
            task = self._tasks.add(id_)
        name = item.get("name")
        if task.name is None and isinstance(name, str) and name:
            self._tasks.set_name(task, plain_text(name, LONGEST_NAME) or "")
        if task.args is None:
            self._tasks.set_text(task, "args", self._arguments(item.get("args")))
        if task.kwargs is None:
            self._tasks.set_text(task, "kwargs", self._arguments(item.get("kwargs")))
        if task.eta_at is None and isinstance(item.get("eta"), str):
            task.eta_at = epoch(item["eta"])
        self._take_delivery(task, worker, item)
        task.sources |= FROM_INSPECT
        self._tasks.touch(task)
        return task

    def _arguments(self, value: Any) -> str | None:
        """Return arguments as text: as Celery wrote them, or as the repr of what was sent."""
        if value is None:
            return None
        if isinstance(value, str):
            return self._redaction.maybe(plain_text(value))
        try:
            value = self._redaction.value(value)
            return cut_text(repr(tuple(value) if isinstance(value, list) else value))
        except RecursionError:
            return "?"

    def _take_delivery(self, task: Task, worker: Worker, item: Mapping[str, Any]) -> None:
        info = item.get("delivery_info")
        delivery: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
        exchange = plain_text(delivery.get("exchange"), LONGEST_NAME)
        routing_key = plain_text(delivery.get("routing_key"), LONGEST_NAME)
        if task.queue is None and routing_key:
            task.queue = sys.intern(_queue_name(worker, exchange, routing_key))
        acknowledged, redelivered = item.get("acknowledged"), delivery.get("redelivered")
        task.extra = msgspec.structs.replace(
            task.extra or TaskExtra(),
            exchange=exchange,
            routing_key=routing_key,
            priority=whole(delivery.get("priority")),
            pid=whole(item.get("worker_pid")),
            acknowledged=acknowledged if isinstance(acknowledged, bool) else None,
            redelivered=redelivered if isinstance(redelivered, bool) else None,
        )

    def _run(
        self, task: Task, worker: Worker, item: Mapping[str, Any], active: dict[str, None]
    ) -> None:
        """Note that a worker was at work on a task when it answered."""
        started_at = number(item.get("time_start"))
        if started_at is not None and 0 < started_at <= LATEST_TIME:
            claim = self._claims.lift(task) if task.id in self._claims.bases else None
            self._run_since(task, worker, started_at)
            if claim is not None:
                self._claims.lay_again(task, claim)
        if task.state not in FINISHED:
            active[task.id] = None
            worker.missed_ids.pop(task.id, None)
            self._tasks.mark_running(task)

    def _run_since(self, task: Task, worker: Worker, started_at: float) -> None:
        if task.lost_at is not None and (
            task.worker != worker.name
            or started_at > (task.started_at or started_at) + STALE_SECONDS
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
    rate = known.get("rate_limit", "")
    limits = Limits(
        rate if rate.partition("/")[0].strip("0.") and rate != "None" else None,
        number(known.get("soft_time_limit")),
        number(known.get("time_limit")),
    )
    return sys.intern(name), limits


def _set_pool(worker: Worker, pool: Mapping[str, Any]) -> None:
    implementation = plain_text(pool.get("implementation"), LONGEST_NAME)
    if implementation is not None:
        worker.pool = _pool_name(implementation)
    worker.concurrency = whole(pool.get("max-concurrency"))
    processes = pool.get("processes")
    if isinstance(processes, list | tuple):
        pids = (whole(pid) for pid in processes[:ITEMS_KEPT])
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
        user_s=number(reply.get("utime")) or 0.0,
        system_s=number(reply.get("stime")) or 0.0,
        rss_bytes=(whole(reply.get("maxrss")) or 0) * 1024,
        page_faults=whole(reply.get("majflt")) or 0,
        voluntary_switches=whole(reply.get("nvcsw")) or 0,
        involuntary_switches=whole(reply.get("nivcsw")) or 0,
    )


def _queue(item: Mapping[str, Any]) -> WorkerQueue:
    exchange = item.get("exchange")
    described: Mapping[str, Any] = exchange if isinstance(exchange, Mapping) else {}
    return WorkerQueue(
        sys.intern(plain_text(item["name"], LONGEST_NAME) or ""),
        plain_text(described.get("name"), LONGEST_NAME),
        plain_text(described.get("type"), LONGEST_NAME),
        plain_text(item.get("routing_key"), LONGEST_NAME),
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
    return [item for item in reply[:ITEMS_KEPT] if isinstance(item, Mapping)]


_TAKERS: Final[dict[str, Taken]] = {
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
