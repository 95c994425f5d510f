"""Applies the messages seen waiting in queues to the model.

They only fill in missing fields and never change a state: a worker may have received a message
since, and its event may have been applied already.
"""

from __future__ import annotations

from typing import Final

from ..entities.states import FROM_QUEUE, PENDING
from ..entities.task import Task, TaskExtra
from ..observations import QueuePeeked, WaitingMessage
from ..text.coerce import MAX_NAME_LENGTH, to_text
from ..wire.signatures import PendingSignature
from .queue_store import QueueStore
from .redaction import Redaction
from .task_store import TaskStore

MAX_PRIORITIES: Final = 1_000
"""Priorities that share one `TaskExtra` each."""
MAX_PENDING_SIGNATURES: Final = 50_000
"""Pending signatures kept; the oldest are dropped first."""


class QueuePeeks:
    """Applies waiting messages to the stores."""

    def __init__(self, tasks: TaskStore, queues: QueueStore, redaction: Redaction) -> None:
        self._tasks = tasks
        self._queues = queues
        self._redaction = redaction
        self._extras: dict[int, TaskExtra] = {}
        self._signature_count = 0
        self.pending_signatures: dict[str, tuple[PendingSignature, ...]] = {}
        """The tasks that will follow a waiting message's task, by that task's id."""

    def apply(self, seen: QueuePeeked) -> None:
        """Apply the messages of one queue."""
        self._queues.get_or_create(seen.queue)
        for message in seen.messages:
            if 0 < len(message.id) <= MAX_NAME_LENGTH:
                task = self._tasks.tasks.get(message.id) or self._tasks.add(message.id)
                self._fill(task, message, self._queues.shared_name(message.queue))

    def _fill(self, task: Task, message: WaitingMessage, queue: str) -> None:
        tasks = self._tasks
        if task.name is None and message.name:
            tasks.set_name(task, message.name[:MAX_NAME_LENGTH])
        if task.args is None or task.kwargs is None:
            masked = self._redaction.text_or_none
            tasks.fill_arguments(
                task, masked(to_text(message.args)), masked(to_text(message.kwargs))
            )
        group_id = message.group_id[:MAX_NAME_LENGTH] if message.group_id else None
        tasks.relations.fill(task, message.root_id, message.parent_id, group_id)
        if task.state == PENDING:
            task.queue = queue
            task.eta_at = message.eta_at
            task.retries = max(task.retries, message.retries)
        elif task.queue is None:
            task.queue = queue
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
