"""The operations of this session, and the changes that each makes to known tasks and workers.

Nothing counts as done before it is confirmed: a revoked task shows that its revocation was
requested (`Task.revoking`), until the worker's event reports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ..entities.cluster.log import EventLog, Level
from ..entities.states import FINISHED, FROM_SENDING, PENDING
from ..entities.task import TaskExtra
from ..entities.worker import UNLIMITED, Worker
from ..observations import OperationChanged
from ..operations.call import Call
from ..operations.commands import Drain, Operation, RateLimit, Retry, Revoke, TimeLimit, Trigger
from ..operations.outcome import Answer, Outcome, PublishedTask
from ..operations.summary import sentence
from ..text.parse import reported_rate
from .queues.queue_store import QueueStore
from .redaction import Redaction
from .tasks.store.task_store import TaskStore

MAX_OPERATIONS: Final = 200
"""Operations that are kept; the oldest that have ended go first."""


@dataclass(frozen=True, slots=True)
class OperationLog:
    """Applies outcomes of operations to the stores."""

    _log: EventLog
    _tasks: TaskStore
    _queues: QueueStore
    _workers: Mapping[str, Worker]
    _redaction: Redaction
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    """The latest outcome of each operation, by number; without the arguments of tasks, which may be
    large or secret."""

    def apply(self, change: OperationChanged) -> None:
        """Store an outcome, and apply what is new in it."""
        outcome = change.outcome
        before = self.outcomes.get(outcome.number)
        if before is not None and before.ended and not outcome.ended:
            return
        operation = _slim(outcome.operation) if before is None else before.operation
        self.outcomes[outcome.number] = msgspec.structs.replace(outcome, operation=operation)
        if before is None:
            self._forget()
        if before is None or (outcome.ended and not before.ended):
            self._log.add(
                change.at, _level(outcome), "operation", sentence(outcome), outcome.number
            )
        if isinstance(operation, Revoke):
            known = {} if before is None else before.targets
            self._mark_revoking(operation, outcome.targets, known, change.at)
        elif isinstance(operation, RateLimit | TimeLimit):
            self._set_limits(operation, outcome)
        elif isinstance(operation, Drain):
            self._mark_draining(operation.workers)
        sent_before = 0 if before is None else len(before.sent)
        for sent in outcome.sent[sent_before:]:
            self._add_published(sent)

    def _forget(self) -> None:
        if len(self.outcomes) > MAX_OPERATIONS:
            ended = (number for number, outcome in self.outcomes.items() if outcome.ended)
            oldest = next(ended, next(iter(self.outcomes)))
            del self.outcomes[oldest]

    def _mark_revoking(
        self,
        operation: Revoke,
        targets: Mapping[str, Answer],
        known: Mapping[str, Answer],
        at: float,
    ) -> None:
        if targets == known:
            return
        # Tasks share equal extras; ten thousand that are revoked at once go on sharing them.
        shared: dict[int, tuple[TaskExtra | None, TaskExtra]] = {}
        for id_, answer in targets.items():
            if answer.verdict != "confirmed" or known.get(id_) == answer:
                continue
            task = self._tasks.tasks.get(id_)
            if task is None or task.state in FINISHED:
                continue
            extra = task.extra
            if id(extra) not in shared:
                requested = msgspec.structs.replace(
                    extra or TaskExtra(),
                    revoke_requested_at=at,
                    terminate_requested=operation.terminate
                    or (extra is not None and extra.terminate_requested),
                )
                shared[id(extra)] = extra, requested
            task.extra = shared[id(extra)][1]
            self._tasks.touch(task)

    def _set_limits(self, operation: RateLimit | TimeLimit, outcome: Outcome) -> None:
        for name in outcome.workers_having("confirmed"):
            worker = self._workers.get(name)
            if worker is None:
                continue
            before = worker.limits.get(operation.task, UNLIMITED)
            if isinstance(operation, TimeLimit):
                after = msgspec.structs.replace(before, soft=operation.soft, hard=operation.hard)
            else:
                after = msgspec.structs.replace(before, rate=reported_rate(operation.rate))
            if after != before:
                worker.limits = {**worker.limits, operation.task: after}
                worker.version += 1

    def _mark_draining(self, names: Iterable[str]) -> None:
        drained = {
            name
            for outcome in self.outcomes.values()
            if isinstance(outcome.operation, Drain) and not outcome.ended
            for name in set(outcome.operation.workers).difference(outcome.workers)
        }
        for name in names:
            worker, draining = self._workers.get(name), name in drained
            if worker is not None and worker.draining != draining:
                worker.draining = draining
                worker.version += 1

    def _add_published(self, sent: PublishedTask) -> None:
        """Add a task as soon as the broker has it; values that events reported already stay."""
        task = self._tasks.tasks.get(sent.id) or self._tasks.add(sent.id)
        if task.name is None:
            self._tasks.set_name(task, sent.name)
        self._tasks.texts.fill_arguments(
            task, self._redaction.text_or_none(sent.args), self._redaction.text_or_none(sent.kwargs)
        )
        if task.queue is None:
            task.queue = self._queues.shared_name(sent.queue)
        if task.sent_at is None:
            task.sent_at = sent.at
            if task.state == PENDING:
                task.state_at = sent.at
        if task.eta_at is None and task.received_at is None:
            task.eta_at = sent.eta_at
        if task.expires_at is None:
            task.expires_at = sent.expires_at
        task.sources |= FROM_SENDING
        if sent.retry_of is not None:
            self._tasks.link_retry(task, sent.retry_of)
        self._tasks.touch(task)


def _slim(operation: Operation) -> Operation:
    if isinstance(operation, Trigger):
        return Trigger(tuple(map(_slim_call, operation.calls)))
    if isinstance(operation, Retry):
        slim = tuple(
            msgspec.structs.replace(
                original, call=_slim_call(original.call), message=None, readable=False
            )
            for original in operation.originals
        )
        return msgspec.structs.replace(operation, originals=slim)
    return operation


def _slim_call(call: Call) -> Call:
    return msgspec.structs.replace(call, args=(), kwargs={}, headers={})


def _level(outcome: Outcome) -> Level:
    if outcome.fault is not None:
        return "error"
    answers = (*outcome.workers.values(), *outcome.targets.values())
    if any(answer.verdict in ("unsure", "unsent") for answer in answers):
        return "error"
    if outcome.ended and (not outcome.good or outcome.unlogged is not None):
        return "warning"
    return "info"
