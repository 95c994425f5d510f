"""Applies the messages seen waiting in queues, or held by workers, to the model.

They fill in missing fields. A state changes only if nothing more recent is known: a worker may have
received a message since, and its event may have been applied already.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from ...entities.queue import Position
from ...entities.states import FROM_QUEUE, PENDING, RECEIVED, RETRY
from ...entities.task import Task, TaskExtra, newest_time
from ...observations import QueuePeeked, WaitingMessage
from ...text.coerce import MAX_NAME_LENGTH, to_text
from ...wire.signatures import PendingSignature
from ..redaction import Redaction
from ..results.backend_overlay import BackendOverlay
from ..tasks.events.attempts import Attempts
from ..tasks.events.event_order import replaces
from ..tasks.store.task_store import TaskStore
from ..workers.inspect_replies import REPLY_DELAY
from ..workers.worker_store import WorkerStore
from .queue_store import QueueStore

MAX_PRIORITIES: Final = 1_000
"""Priorities that share one `TaskExtra` each."""
MAX_SEEN_QUEUES: Final = 100
"""Queues whose latest messages are compared with the next ones."""
MAX_LISTED_QUEUES: Final = 4
"""Queues whose messages are kept for a list of them."""
MAX_LISTED_MESSAGES: Final = 10_000
"""Messages kept of each."""
MAX_PENDING_SIGNATURES: Final = 50_000
"""Pending signatures kept; the oldest are dropped first."""


class Peek(msgspec.Struct, frozen=True):
    """The messages of a queue when they were last read."""

    at: float
    before: dict[str, int | None]
    """The messages before each one, by task id; None if they were not counted."""
    read: int
    """How many were read in a row, if all of them are in `before`."""
    complete: bool


class Listing(msgspec.Struct, frozen=True):
    """The messages at the beginning of a queue, in their order."""

    messages: tuple[WaitingMessage, ...]
    at: float
    """When the last of them were read, epoch seconds."""
    read: int
    """The messages that were read, unreadable ones included."""
    complete: bool
    """Whether these are all."""
    notes: tuple[str, ...] = ()


class QueuePeeks:
    """Applies waiting messages to the stores."""

    def __init__(
        self,
        tasks: TaskStore,
        workers: WorkerStore,
        queues: QueueStore,
        overlay: BackendOverlay,
        redaction: Redaction,
    ) -> None:
        self._tasks = tasks
        self._workers = workers
        self._overlay = overlay
        self._attempts = Attempts(tasks)
        self._queues = queues
        self._redaction = redaction
        self._extras: dict[int, TaskExtra] = {}
        self._signature_count = 0
        self._seen: dict[str, Peek] = {}
        self.listings: dict[str, Listing] = {}
        """The messages of the queues that were listed last."""
        self.pending_signatures: dict[str, tuple[PendingSignature, ...]] = {}
        """The tasks that will follow a waiting message's task, by that task's id."""

    def apply(self, seen: QueuePeeked) -> frozenset[str]:
        """Apply the messages of one queue, or those that workers hold.

        Returns:
            The ids seen in the queue the last time, but not now: workers have received these
            messages, or others of a higher priority are before them.
        """
        left: frozenset[str] = frozenset() if seen.held else self._left(seen)
        if seen.is_listing:
            self._list(seen)
        for message in seen.messages:
            if 0 < len(message.id) <= MAX_NAME_LENGTH:
                task = self._tasks.tasks.get(message.id) or self._tasks.add(message.id)
                if seen.held:
                    self._hold(task, message, seen.at)
                else:
                    self._requeue(task, message, seen.at)
                queue = self._queues.shared_name(message.queue)
                if task.queue is None or not (seen.held or self._may_be_elsewhere(task, seen.at)):
                    task.queue = queue
                self._fill(task, message, queue)
        return left

    def _list(self, seen: QueuePeeked) -> None:
        """Keep the messages for a list; those of a further page follow the ones before."""
        earlier = self.listings.pop(seen.queue, None)
        messages = seen.messages
        if seen.skipped and earlier is not None:
            known = {message.id for message in earlier.messages}
            messages = earlier.messages + tuple(one for one in messages if one.id not in known)
        self.listings[seen.queue] = Listing(
            messages[:MAX_LISTED_MESSAGES], seen.at, seen.read, seen.complete, seen.notes
        )
        if len(self.listings) > MAX_LISTED_QUEUES:
            del self.listings[next(iter(self.listings))]

    def _left(self, seen: QueuePeeked) -> frozenset[str]:
        if not (seen.messages or seen.read or seen.complete):
            return frozenset()  # the broker could not show them
        now = {message.id: message.before for message in seen.messages}
        earlier = self._seen.pop(seen.queue, None)
        if seen.skipped and earlier is not None:
            # A further page: the messages before it were not read again.
            now = {**earlier.before, **now}
        self._seen[seen.queue] = Peek(seen.at, now, seen.read, seen.complete)
        if len(self._seen) > MAX_SEEN_QUEUES:
            del self._seen[next(iter(self._seen))]
        return frozenset(() if earlier is None else earlier.before.keys() - now.keys())

    def seen_in(self, queue: str) -> Collection[str]:
        """Return the tasks whose messages waited in a queue when that was last read."""
        peek = self._seen.get(queue)
        return () if peek is None else peek.before.keys()

    def position(self, task: Task) -> Position | None:
        """Return a task's place in its queue when that was last read; None if it is unknown."""
        peek = self._seen.get(task.queue or "")
        if peek is None:
            return None
        before = peek.before.get(task.id)
        if before is not None:
            return Position(before, peek.at)
        is_behind = peek.read and not peek.complete and task.id not in peek.before
        return Position(peek.read, peek.at, at_least=True) if is_behind else None

    def _hold(self, task: Task, message: WaitingMessage, at: float) -> None:
        """Move a task whose message a worker has received at least to RECEIVED.

        If it has started, its message is acknowledged late, as with `acks_late`.
        """
        if task.finished:
            return
        if task.started_at is not None:
            started_at = task.started_at - self._workers.skew(task.worker)
            if task.name is not None and not task.waiting and started_at < at - REPLY_DELAY:
                self._tasks.set_acknowledged(task, False)
            return
        if task.received_at is None:
            task.received_at = message.taken_at
        task.retries = max(task.retries, message.retries)
        task.eta_at = task.eta_at if task.eta_at is not None else message.eta_at
        if task.id in self._overlay.event_states or task.state not in (PENDING, RECEIVED):
            return
        awaits_retry = message.retries > 0 and (message.eta_at or 0.0) > at
        state = RETRY if awaits_retry else RECEIVED
        if state != task.state:
            self._tasks.move(task, state, None, None)

    def _requeue(self, task: Task, message: WaitingMessage, at: float) -> None:
        """Let a task wait in its queue again if its worker no longer runs it.

        It replaced itself with the message, or the broker has returned its message to the queue.
        """
        if task.waiting or task.finished:
            return
        if self._may_be_elsewhere(task, at):
            return  # it may have been received since
        worker = self._workers.workers.get(task.worker or "")
        replaced = message.replaced and replaces(task, message.name, message.args, message.kwargs)
        is_running = worker is not None and task.id in worker.active_ids
        if is_running and not (replaced and message.name != task.name):
            return
        if task.id in self._overlay.event_states:
            self._overlay.remove(task)
        if worker is not None:
            self._workers.ended(worker, task.id)
        if replaced:
            self._attempts.keep_replaced(task)
        elif task.started_at is not None:
            self._tasks.mark_redelivered(task)
            self._attempts.keep_present(task, task.retries)
        task.worker = task.lost_at = None
        if message.name:
            self._tasks.set_name(task, message.name[:MAX_NAME_LENGTH])
        self._tasks.texts.set_arguments(
            task,
            self._redaction.text_or_none(to_text(message.args)),
            self._redaction.text_or_none(to_text(message.kwargs)),
        )
        self._tasks.move(task, PENDING, None, None)

    def _may_be_elsewhere(self, task: Task, at: float) -> bool:
        """Return whether a worker may have received a message since it was seen in a queue."""
        return (newest_time(task) or 0.0) - self._workers.skew(task.worker) > at - REPLY_DELAY

    def _fill(self, task: Task, message: WaitingMessage, queue: str) -> None:
        tasks = self._tasks
        if task.name is None and message.name:
            tasks.set_name(task, message.name[:MAX_NAME_LENGTH])
        if task.args is None or task.kwargs is None:
            masked = self._redaction.text_or_none
            tasks.texts.fill_arguments(
                task, masked(to_text(message.args)), masked(to_text(message.kwargs))
            )
        group_id = message.group_id[:MAX_NAME_LENGTH] if message.group_id else None
        tasks.relations.fill(task, message.root_id, message.parent_id, group_id)
        if task.state == PENDING:
            task.queue = queue
            task.eta_at = message.eta_at
            task.retries = max(task.retries, message.retries)
        if message.pending_signatures:
            self._keep_signatures(task.id, message.pending_signatures)
        if task.expires_at is None:
            task.expires_at = message.expires_at
        if message.priority is not None:
            self._set_priority(task, message.priority)
        repeated = message.retry_of
        if repeated and repeated != task.id and (task.extra is None or not task.extra.retry_of):
            tasks.link_retry(task, repeated[:MAX_NAME_LENGTH])
        task.sources |= FROM_QUEUE
        tasks.touch(task)

    def _keep_signatures(self, id_: str, pending_signatures: tuple[PendingSignature, ...]) -> None:
        kept = self.pending_signatures
        self._signature_count += len(pending_signatures) - len(kept.pop(id_, ()))
        kept[id_] = pending_signatures
        while self._signature_count > MAX_PENDING_SIGNATURES and len(kept) > 1:
            self._signature_count -= len(kept.pop(next(iter(kept))))

    def _set_priority(self, task: Task, priority: int) -> None:
        if task.extra is not None:
            if task.extra.priority is None:
                task.set_extra(priority=priority)
            return
        extra = self._extras.get(priority)
        if extra is None:
            if len(self._extras) >= MAX_PRIORITIES:
                self._extras.clear()
            extra = self._extras[priority] = TaskExtra(priority=priority)
        task.extra = extra
