"""The unacknowledged messages on Redis: which worker holds them, and until when.

Redis has the messages, but not who received them: that follows from events and from the workers'
replies. A message of a worker that is gone stays unacknowledged until its visibility timeout ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ...entities.broker import Broker
from ...entities.fact import NEVER_ASKED, Fact
from ...entities.messages.unacked import Unacked
from ...entities.queue import Queue
from ...entities.task import Task
from ...entities.worker import Worker
from ...observations import UnackedMessage, UnackedRead
from ...text.coerce import MAX_NAME_LENGTH
from ..tasks.store.task_store import TaskStore
from ..workers.inspect_replies import REPLY_DELAY
from ..workers.worker_store import WARM_SHUTDOWN_SECONDS, WorkerStore
from .queue_store import QueueStore
from .visibility_timeout import VISIBILITY_TIMEOUT, shortest_timeout

MAX_HELD: Final = 1_000
"""Unacknowledged messages kept, the oldest ones."""
MAX_HELD_PER_QUEUE: Final = 100
"""Those of them that are kept for each queue."""
MIN_AGE: Final = 10.0
"""Seconds since a message was received in which no worker may list it yet."""


class UnackedMessages:
    """The unacknowledged messages, with the workers that hold them."""

    def __init__(
        self,
        tasks: TaskStore,
        workers: WorkerStore,
        queues: QueueStore,
        broker: Broker,
        facts: Mapping[str, Fact],
    ) -> None:
        self.by_id: dict[str, Unacked] = {}
        """By task id; the oldest first."""
        self.total = 0
        """How many there are in all queues, also those that were not read."""
        self._tasks = tasks
        self._workers = workers
        self._queues = queues
        self._broker = broker
        self._facts = facts
        self._holding: list[Queue] = []
        self._read_at = 0.0
        self._claims: _Claims | None = None
        self._unclaimed_before: set[tuple[str, float]] = set()

    def apply(self, seen: UnackedRead) -> None:
        """Replace the messages by those that were just read."""
        self.total = seen.total
        self.by_id.clear()
        self._claims = None
        by_queue: dict[str, list[Unacked]] = {}
        timeout = shortest_timeout(self._present(), self._broker) or VISIBILITY_TIMEOUT
        for message in seen.messages[:MAX_HELD]:
            held = self._held(message, timeout)
            if held.id:
                self.by_id[held.id] = held
            if held.queue is not None:
                by_queue.setdefault(held.queue, []).append(held)
        self._read_at = seen.at
        self._unclaimed_before &= {(held.id, held.since) for held in self.by_id.values()}
        for before in self._holding:
            before.held = ()
        self._holding = []
        for name, messages in by_queue.items():
            if (queue := self._queues.get_or_create(name)) is not None:
                queue.held = tuple(messages[:MAX_HELD_PER_QUEUE])
                queue.version += 1
                self._holding.append(queue)
        for held in self.by_id.values():
            if held.worker is None:
                self._unclaimed(held, seen.at)  # while no later reply leaves it open

    def is_abandoned(self, held: Unacked, now: float) -> bool | None:
        """Return whether the worker that received a message is gone; None if that is unknown.

        It is certain if the message was still unacknowledged after its worker was lost, or was
        started again; and of a message whose worker is unknown, if no present worker can have it.
        """
        worker = self._workers.workers.get(held.worker or "")
        if worker is None:
            return self._unclaimed(held, now)
        if self._workers.status(worker.name) != "offline":
            began = _began_until(worker, self._read_at)
            return held.since < began and not worker.shares_name
        if self._read_at <= (worker.last_seen_at or 0.0):
            return None
        if worker.left_at is None:
            return True
        # In a warm shutdown it finishes its running tasks, and returns the others to their queues.
        finishes = now - worker.left_at < WARM_SHUTDOWN_SECONDS and held.id in worker.active_ids
        return not finishes and now - worker.left_at > MIN_AGE

    def is_settled(self, task: Task, redelivery_at: float) -> bool:
        """Return whether a message that was received was no longer unacknowledged when last read.

        It was acknowledged, or the broker lost it. When its visibility timeout has ended, that is
        no longer certain: it may have returned to its queue.
        """
        if task.received_at is None or self.total > len(self.by_id) or task.id in self.by_id:
            return False
        return task.received_at - self._workers.skew(task.worker) < self._read_at < redelivery_at

    def _held(self, message: UnackedMessage, timeout: float) -> Unacked:
        id_, name = message.id[:MAX_NAME_LENGTH], message.name[:MAX_NAME_LENGTH]
        task = self._tasks.tasks.get(id_)
        worker = None if task is None else task.worker
        since = message.taken_at - self._workers.skew(worker)
        queue = None if message.queue is None else message.queue[:MAX_NAME_LENGTH]
        return Unacked(
            id_, name, queue, worker, since, since + timeout, message.eta_at, message.redelivered
        )

    def _present(self) -> list[Worker]:
        found = self._workers
        return [one for one in found.workers.values() if found.status(one.name) != "offline"]

    def _unclaimed(self, held: Unacked, now: float) -> bool | None:
        """Return True if no present worker can have received a message; otherwise it is unknown."""
        if (held.id, held.since) in self._unclaimed_before:
            return True
        if not self._facts.get("workers", NEVER_ASKED).is_answered:
            return None
        if self._claims is None or self._claims.second != int(now):
            self._claims = _claims(self._present(), self.by_id, int(now), self._read_at)
        if not self._claims.rule_out(held):
            return None
        # The next reply does not prove it again: the message may have been acknowledged since.
        self._unclaimed_before.add((held.id, held.since))
        return True


class _Claims(NamedTuple):
    """The conclusions from the workers' replies on messages that they do not list."""

    second: int
    """When this was found, whole epoch seconds."""
    listed: frozenset[str]
    """The tasks that a worker lists."""
    limited: frozenset[str]
    """Types with a rate limit: their tasks may be in no list of their worker."""
    complete_until: float
    """Messages received before are in a list, if a present worker has them."""
    complete_with_limits_until: float
    """The same for types with a rate limit."""

    def rule_out(self, held: Unacked) -> bool:
        """Return whether no worker can have a message."""
        until = self.complete_until
        if not held.id or held.name in self.limited:
            until = self.complete_with_limits_until
        return held.since < until and held.id not in self.listed


def _claims(
    workers: list[Worker], ids: Mapping[str, object], second: int, read_at: float
) -> _Claims:
    listed: set[str] = set()
    limited: set[str] = set()
    complete = complete_with_limits = float("inf") if workers else second - MIN_AGE
    for worker in workers:
        for held in (worker.active_ids, worker.reserved_ids, worker.scheduled_ids):
            listed.update(ids.keys() & (held or {}).keys())
        limited.update(name for name, limits in worker.limits.items() if limits.rate is not None)
        began = _began_until(worker, read_at)
        complete_with_limits = min(complete_with_limits, began)
        complete = min(complete, max(began, _listed_until(worker, read_at)))
    return _Claims(second, frozenset(listed), frozenset(limited), complete, complete_with_limits)


def _began_until(worker: Worker, read_at: float) -> float:
    """Return until when another process must have received a message that was then unacknowledged.

    What a process received cannot be older than the process.
    """
    started_at = worker.started_at
    if started_at is None or started_at > read_at:
        return float("-inf")
    return started_at - REPLY_DELAY


def _listed_until(worker: Worker, read_at: float) -> float:
    """Return until when a worker must have received a message to list it.

    Only replies from before it was seen unacknowledged count: it may have been acknowledged since.
    """
    facts = (worker.fact("active"), worker.fact("reserved"), worker.fact("scheduled"))
    if worker.initial_limits is None or not all(fact.is_answered for fact in facts):
        return float("-inf")
    times = [fact.answered_at or 0.0 for fact in facts]
    return min(times) - MIN_AGE if max(times) <= read_at else float("-inf")
