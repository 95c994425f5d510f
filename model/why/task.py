"""Why a task has not started, is still running, or ended as it did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..entities.messages.delayed import delayed_route
from ..entities.messages.unacked import Unacked
from ..entities.queue import Queue
from ..entities.states import PENDING, RETRY
from ..entities.task import Task, first_seen_at
from ..entities.worker import Worker
from ..health.finding import Finding
from ..health.queues.registrations import registered_by
from ..ingest.queues.emptied_queues import EMPTY_SECONDS
from ..ingest.tasks.lost_tasks import loss_text, redelivery_text
from ..ingest.tasks.rate_limited import held_text
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted, named
from .answer import Answer, Evidence
from .capacity import Capacity, capacity, starts_in
from .ended import MAX_EXCEPTION, why_finished
from .queue import blocks, queue_evidence

LONG: Final = 0.95
"""The quantile of its type's run times after which a running task takes long."""
MIN_RUNS: Final = 10
"""Earlier runs that are needed to conclude so."""

SOON: Final = 60.0
"""Seconds until a task starts for which busy consumers are no problem."""

_NO_STEP: Final = ""
_MORE_SLOTS: Final = "Add pool processes or workers, or wait for running tasks"


def why_task(task: Task, state: ClusterState, now: float, related: tuple[Finding, ...]) -> Answer:
    """Return why a task is in its present state.

    Args:
        task: The task.
        state: The model.
        now: The local time, epoch seconds.
        related: The findings on the task, its queue, its worker and the broker, the worst first.
    """
    if task.finished:
        return why_finished(task, state, now)
    own = next((one for one in related if one.kind == "task" and one.name == task.id), None)
    if own is not None:
        return Answer.of_finding("task", task.id, own)
    code, text, step = _Unfinished(task, state, now, related).reason()
    return Answer(code, "task", task.id, text, next_step=step)


class _Unfinished:
    """The reason of a task that has not ended: code, text and next step."""

    def __init__(
        self, task: Task, state: ClusterState, now: float, related: tuple[Finding, ...]
    ) -> None:
        self.task, self.state, self.now, self.related = task, state, now, related
        self.worker: Worker | None = state.workers.get(task.worker or "")
        self.queue: Queue | None = state.queues.get(task.queue or "")
        self.where = f"in {task.queue}" if task.queue else "in a queue that is unknown"
        key = None if task.extra is None else task.extra.routing_key
        if delayed_route(key) is not None and task.queue:
            self.where = f"in delayed delivery for {task.queue}"

    def reason(self) -> tuple[str, str, str]:
        task = self.task
        held = None if task.running else self.state.unacked.get(task.id)
        if held is not None and self.state.is_abandoned(held, self.now):
            return self._abandoned(held)
        if task.lost_at is not None:
            return self._lost()
        if task.running:
            return self._running()
        if task.revoking:
            return self._revoking()
        if task.state == PENDING:
            return self._in_queue()
        return self._in_worker()

    def _abandoned(self, held: Unacked) -> tuple[str, str, str]:
        text = f"its message is held by {held.worker or 'a worker'}, which is gone"
        again = held.redelivered_at
        if again is not None:
            text += f"; it will be {redelivery_text(again, self.now)}"
        step = "Wait for the redelivery; a retry before it would run the task twice"
        return "unacked-by-dead-worker", text, step

    def _lost(self) -> tuple[str, str, str]:
        what = "it is lost" if self.task.state == PENDING else "no worker runs it any longer"
        text = f"{what}: {loss_text(self.task)}"
        again = self.state.redelivery_at(self.task)
        if again is not None:
            step = "Wait for the redelivery; a retry before it would run the task twice"
            return "lost", f"{text}; its message will be {redelivery_text(again, self.now)}", step
        if self.task.loss in ("unheard", "unreported"):
            return "lost", text, "Check what it has done before a retry: it may have run to its end"
        return "lost", text, "Retry it if it must run"

    def _running(self) -> tuple[str, str, str]:
        task, state, now = self.task, self.state, self.now
        elapsed = task.elapsed(state.running_at(task.worker, now))
        on = f" on {task.worker}" if task.worker else ""
        text = f"it is running{on}"
        if elapsed is not None:
            text = f"it has been running{on} for {units.duration(elapsed)}"
        if (away := self._away()) is not None:
            return "worker-away", f"{text}, but {away}", "Check the worker's process and log"
        if task.revoking:
            return (
                "terminating",
                f"{text}; its termination was requested",
                ("If it does not end, terminate it with SIGKILL; only prefork pools can"),
            )
        left = state.time_left(task, now)
        if left is not None:
            text += f", about {units.duration(left)} left by its own progress"
        type_ = state.types.get(task.name or "")
        usual = None if type_ is None else type_.runtime.quantile(LONG)
        if elapsed is not None and type_ is not None and not type_.runtime.count:
            return "running", f"{text}; no finished run of {task.name} is known", _NO_STEP
        if elapsed is None or type_ is None or usual is None or type_.runtime.count < MIN_RUNS:
            return "running", text, _NO_STEP
        runs = counted(type_.runtime.count, "earlier run")
        if elapsed > usual:
            return (
                "running-long",
                (f"{text}; 95 % of {runs} took at most {units.duration(usual)}"),
                f"Check the log of {task.worker or 'its worker'}, or terminate it",
            )
        return "running", f"{text}; 95 % of {runs} took at most {units.duration(usual)}", _NO_STEP

    def _revoking(self) -> tuple[str, str, str]:
        extra = self.task.extra
        at = None if extra is None else extra.revoke_requested_at
        text = f"it was revoked {units.ago(at, self.now)}"
        if self.task.state == PENDING:
            text += f"; its message waits {self.where} until a worker discards it"
        else:
            text += f"; {self.task.worker} discards it when its turn comes"
        return "revoked", text, _NO_STEP

    def _in_worker(self) -> tuple[str, str, str]:
        """Return why a worker that received the task has not started it."""
        task, now = self.task, self.now
        there = now + self.state.skew(task.worker)
        by = task.worker or "a worker"
        if (away := self._away()) is not None:
            again = self.state.redelivery_at(task)
            text = f"it was received by {by}, but {away}"
            if again is not None:
                return (
                    "held-by-lost-worker",
                    (f"{text}; its message will be {redelivery_text(again, now)}"),
                    "Start the worker again, or wait for the redelivery",
                )
            return "worker-away", text, "Check the worker's process and log"
        if task.eta_at is not None and task.eta_at > there:
            left = units.duration(task.eta_at - there)
            if task.state == RETRY or task.retries:
                return "retry", f"its next attempt on {by} is in {left}{self._after()}", _NO_STEP
            return "eta", f"it is held by {by} until its ETA in {left}", _NO_STEP
        if task.state == RETRY:
            return "retry", f"it waits for its next attempt{self._after()}", _NO_STEP
        if task.held_by is not None:
            return (
                "rate-limit",
                f"it is {held_text(task.held_by)} on {by}",
                ("Raise the rate limit of the task type if the queue grows"),
            )
        return self._reserved(by, there)

    def _reserved(self, by: str, there: float) -> tuple[str, str, str]:
        task, worker = self.task, self.worker
        since = units.age(task.received_at, there) if task.received_at is not None else None
        text = f"it is reserved by {by}" + (f" for {since}" if since else "")
        if worker is None or worker.slots is None or worker.running is None:
            return "reserved", f"{text}; how busy it is is unknown", _NO_STEP
        busy = f"{worker.running:,} of {counted(worker.slots, 'slot')} busy"
        if worker.running < worker.slots:
            return "reserved", f"{text}, {busy}: it starts next", _NO_STEP
        before = self._reserved_before(worker)
        text += f", behind {counted(worker.running, 'running task')}"
        text += f" and {counted(before, 'task')} received earlier" if before else ""
        idle = self._idle_consumers(worker)
        step = "Wait, or add pool processes"
        if idle:
            step = f"Lower worker_prefetch_multiplier: {named(idle)} has free slots meanwhile"
        return "reserved-behind-others", f"{text} ({busy})", step

    def _reserved_before(self, worker: Worker) -> int:
        received = self.task.received_at
        tasks = (self.state.tasks.get(id_) for id_ in worker.reserved_ids or ())
        return sum(
            1
            for one in tasks
            if one is not None
            and one is not self.task
            and one.id not in worker.active_ids
            and received is not None
            and one.received_at is not None
            and one.received_at < received
        )

    def _idle_consumers(self, worker: Worker) -> list[str]:
        if self.queue is None:
            return []
        return [
            one.name
            for one in capacity(self.queue, self.state, self.now).workers
            if one is not worker
            and one.slots is not None
            and one.running is not None
            and one.running < one.slots
        ]

    def _in_queue(self) -> tuple[str, str, str]:
        """Return why no worker has received the task."""
        task, now = self.task, self.now
        if task.expires_at is not None and task.expires_at < now:
            ago = units.ago(task.expires_at, now)
            return (
                "expired",
                f"it expired {ago}; the worker that receives it discards it",
                ("Check why it waited so long"),
            )
        stuck = next((one for one in self.related if one.code == "delayed-queue-stuck"), None)
        if stuck is not None:
            return stuck.code, f"it waits {self.where}: {stuck.text}", stuck.next_step
        if task.eta_at is not None and task.eta_at > now:
            left = units.duration(task.eta_at - now)
            return (
                "eta",
                f"it waits {self.where}, and does not run before its ETA in {left}",
                (_NO_STEP),
            )
        if self.queue is None:
            return (
                "queue-unknown",
                ("no source reports a worker that received it, or the queue where it waits"),
                "Set task_send_sent_event to see queues, or check the task's id",
            )
        places = capacity(self.queue, self.state, now)
        if (blocked := self._queue_finding()) is not None:
            # The queue may be empty for lack of this task's code, not of workers.
            step = self._elsewhere(places) or blocked.next_step
            text = f"it waits {self.where}: {blocked.text}"
            return blocked.code, text, step
        if (missing := self._unregistered(places)) is not None:
            return missing
        if self._is_not_waiting(self.queue):
            return (
                "not-in-queue",
                f"its message is no longer in {task.queue}, and no event of a worker was received",
                "Wait for the replies of the workers and the result backend",
            )
        return self._next(self.queue, places)

    def _is_not_waiting(self, queue: Queue) -> bool:
        """Return whether its queue was found empty some time after it was sent."""
        sent_at = first_seen_at(self.task) or self.now
        return queue.waiting == 0 and (queue.measured_at or 0.0) >= sent_at + EMPTY_SECONDS

    def _queue_finding(self) -> Finding | None:
        return next((one for one in self.related if blocks(one)), None)

    def _unregistered(self, places: Capacity) -> tuple[str, str, str] | None:
        """Return the reason if certainly no consumer of the queue has registered the task."""
        name = self.task.name
        if name is None or not places.workers:
            return None
        if any(one.registered is None or name in one.registered for one in places.workers):
            return None
        names = [one.name for one in places.workers]
        text = f"it waits {self.where}, but no consumer has registered {name} ({named(names)})"
        step = self._elsewhere(places) or f"Deploy {name} to a worker that consumes the queue"
        return "type-unregistered", text, step

    def _elsewhere(self, places: Capacity) -> str:
        """Return the next step if other workers have the task, and no consumer of the queue has."""
        name = self.task.name
        if name is None or not places.workers:
            return ""
        if any(name in (one.registered or ()) for one in places.workers):
            return ""
        for other, names in registered_by(name, self.state, self.now).items():
            if names:
                queues = named(names)
                return (
                    f"Route {name} to {queues}: {other} has registered it and consumes {queues}, "
                    f"not {self.task.queue}"
                )
        return ""

    def _next(self, queue: Queue, places: Capacity) -> tuple[str, str, str]:
        """Return the task's place in a queue that moves, if it is known."""
        position = self.state.position(self.task)
        names = [self.task.name] + [
            task.name
            for one in places.workers
            for id_ in one.active_ids
            if (task := self.state.tasks.get(id_)) is not None
        ]
        before = 0 if position is None else position.before
        seconds = starts_in(before, queue, places, names, self.state)
        full = places.is_full and (seconds is None or seconds > SOON)
        code, step = "next", _NO_STEP
        what = f"it waits {self.where}"
        if full:
            code, step = "consumers-full", _MORE_SLOTS
            what += f", whose consumers are full ({counted(places.slots, 'slot')} busy)"
        if position is None:
            reason = "the queue has not been read"
            if self.state.broker.family == "amqp":
                reason = "RabbitMQ shows no messages unless they are taken out"
            if queue.waiting is not None:
                what += f" with {counted(queue.waiting, 'message')}"
            return code if full else "waiting", f"{what}; its place is unknown: {reason}", step
        place = counted(before, "message")
        place = f"{'at least ' if position.at_least else ''}{place} before it"
        if before and places.reserved:
            place += f", {places.reserved:,} reserved by its consumers"
        is_next = not full and not before
        text = f"it is next in {queue.name}" if is_next else f"{what}; {place}"
        if seconds is not None and seconds >= 1:
            text += f", {'at least' if position.at_least else 'about'} {units.duration(seconds)}"
        return code, text, step

    def _away(self) -> str | None:
        """Return that the task's worker is absent; None if it is present or unknown."""
        worker = self.worker
        if worker is None:
            return None
        listening = self.state.broker.listening(self.now)
        status = worker.status(listening)
        if status == "offline":
            if worker.left_at is not None:
                return f"that worker shut down {units.ago(worker.left_at, self.now)}"
            return f"that worker is lost: last seen {units.ago(worker.last_seen_at, self.now)}"
        return None

    def _after(self) -> str:
        exception = self.task.exception
        return f", after {exception[:MAX_EXCEPTION]}" if exception else ""


def task_evidence(task: Task, state: ClusterState, now: float) -> Iterator[Evidence]:
    """Yield what is known about an unfinished task, its worker and its queue."""
    skew = state.skew(task.worker)
    for text, at in (
        ("sent", task.sent_at),
        ("received", task.received_at),
        ("started", task.started_at),
    ):
        if at is not None:
            yield Evidence(f"{text} {units.ago(at - (0.0 if text == 'sent' else skew), now)}")
    if task.eta_at is not None:
        yield Evidence(f"ETA {units.iso(task.eta_at)}")
    if task.expires_at is not None:
        yield Evidence(f"expires {units.iso(task.expires_at)}")
    worker = state.workers.get(task.worker or "")
    if worker is not None:
        status = worker.health(state.broker.listening(now))
        busy = "" if worker.running is None else f", {counted(worker.running, 'task')} running"
        slots = f" in {counted(worker.slots, 'slot')}" if busy and worker.slots else ""
        status_text = "of unknown status" if status == "unknown" else status
        yield Evidence(f"{worker.name} is {status_text}{busy}{slots}", worker.last_seen_at)
    if task.state == PENDING:
        position = state.position(task)
        if position is not None:
            least = "at least " if position.at_least else ""
            yield Evidence(f"{least}{counted(position.before, 'message')} before it", position.at)
        queue = state.queues.get(task.queue or "")
        if queue is not None:
            yield from queue_evidence(queue, state, capacity(queue, state, now), now)
