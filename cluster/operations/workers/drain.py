"""Drains workers: takes them out of service without interrupting tasks, and can be undone.

A drained worker stops consuming, finishes all tasks that it has received, and is then shut down. A
plain shutdown finishes running tasks too, but the worker no longer replies meanwhile, it cannot be
called back, and its other received tasks start elsewhere. Tasks that wait for their ETA could delay
a drain for any time, so they do not: they return to their queue when the worker exits.

A worker that consumes nothing is easily forgotten. So its consumers are recorded as paused before
anything changes: even if celtop is killed, resuming the queues restores them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Final

from ....model.operations.commands import Consumer, Drain, PauseQueue
from ....model.operations.outcome import Answer
from ..queues.paused_queues import PausedQueues
from ..running import OperationContext, Refused, perform
from .consumers import ConsumerControl, consumer_control, consuming
from .drain_worker import DrainingWorker

CHECK_INTERVAL: Final = 0.1
"""Seconds between two checks for worker-offline events and cancellation."""
MIN_INSPECT_INTERVAL: Final = 0.5
MAX_INSPECT_INTERVAL: Final = 5.0
"""Seconds between two inspections, at first and in the long run."""
INTERVAL_PER_WORKER: Final = 0.05
"""Seconds between two inspections for each worker, at least."""
CONSUMER_TIMEOUT: Final = 8.0
"""Seconds in which a worker must have stopped or started consuming."""
RESEND_AFTER: Final = 4.0
"""Seconds after which a command is sent again: a worker ignores one that it reads after ten."""
OFFLINE_TIMEOUT: Final = 30.0
"""Seconds for the worker-offline event of a worker without tasks."""
RECONNECT_TIMEOUT: Final = 60.0
"""Seconds in which a lost broker must be back for the drain to continue."""
FIRST_COMMANDS: Final = ("stats", "active_queues", "scheduled")
COMMANDS: Final = ("active_queues", "reserved", "active")
"""In this order: a task that starts meanwhile is in at least one of the replies."""
MAX_STAGE_WORKERS: Final = 5
"""Workers whose progress is shown; the rest are counted."""


@perform.register
def drain(operation: Drain, context: OperationContext) -> None:
    """Carry out a `Drain`: each worker shuts down as soon as it has no tasks itself.

    Raises:
        Refused: No worker is named, or the consumers could not be saved.
    """
    if not operation.workers:
        raise Refused("no workers are named")
    _Drain(context, operation.workers).run()


class _Drain:
    """The drain of several workers."""

    def __init__(self, context: OperationContext, names: Sequence[str]) -> None:
        self._context = context
        self._workers = [DrainingWorker(name) for name in dict.fromkeys(names)]
        self._paused = PausedQueues()
        self._cluster = context.broker.identity
        self._next = 0.0
        self._interval = MIN_INSPECT_INTERVAL
        self._lost_at: float | None = None
        self._undone = False

    def run(self) -> None:
        """Run until every worker has a verdict, across lost connections."""
        while True:
            with ExitStack() as stack:
                try:
                    control, errors = stack.enter_context(consumer_control(self._context))
                except Exception as error:  # each transport raises its own
                    self._handle_lost(error)
                    continue
                try:
                    self._run_connected(control)
                except errors as error:
                    self._handle_lost(error)
                    continue
                return

    def _handle_lost(self, error: Exception) -> None:
        """Wait a moment for a lost broker; give up if nothing was changed, or after a while.

        A cancelled drain cannot be undone without the broker, and celtop may be exiting: it gives
        up at once.

        Raises:
            Exception: The error, when giving up.
        """
        changed = [one for one in self._workers if one.stage in ("emptying", "leaving")]
        if not changed:
            raise error
        now = time.monotonic()
        self._lost_at = self._lost_at or now
        if now - self._lost_at > RECONNECT_TIMEOUT or self._context.cancelled.is_set():
            for one in changed:
                self._end(one, Answer("unsure", f"broker lost; {one.remainder}"))
            raise error
        for one in changed:
            one.last_seen_at = now
            if one.stage == "emptying" and not one.verified:
                one.stage = "asked"
        if self._context.outcome.stage != (stage := "waiting for the broker"):
            self._context.report(stage=stage)
        self._context.cancelled.wait(MIN_INSPECT_INTERVAL)

    def _run_connected(self, control: ConsumerControl) -> None:
        while True:
            control.ignore_cancel = self._undone
            if self._context.cancelled.is_set() and not self._undone:
                control.ignore_cancel = True
                self._undo(control)
            if time.monotonic() >= self._next and (inspected := self._in("asked", "emptying")):
                # Last come the workers that may not reply: the others do not wait for them.
                self._inspect(control, self._in("emptying"))
                self._shut_down(control, [one for one in self._in("emptying") if one.empty >= 2])
                self._begin(control, self._in("asked"))
                self._lost_at = None
                self._interval = min(self._interval * 1.5, MAX_INSPECT_INTERVAL)
                empty = any(one.empty for one in inspected)
                interval = MIN_INSPECT_INTERVAL if empty else self._interval
                self._next = time.monotonic() + max(interval, INTERVAL_PER_WORKER * len(inspected))
            self._check_offline(control, self._in("leaving"))
            self._report_stage()
            if not self._in("asked", "emptying", "leaving"):
                return
            if self._undone:
                time.sleep(CHECK_INTERVAL)
            else:
                self._context.cancelled.wait(CHECK_INTERVAL)

    def _in(self, *stages: str) -> list[DrainingWorker]:
        return [one for one in self._workers if one.stage in stages]

    def _end(self, one: DrainingWorker, answer: Answer, *, forget: bool = False) -> None:
        """Report the verdict on a worker; `forget` its consumers if they need not be restored."""
        one.stage = "ended"
        if forget:
            for queue in one.consumers:
                with suppress(OSError):
                    self._paused.forget(self._cluster, queue, {one.name})
        self._context.report(workers={one.name: answer})

    def _begin(self, control: ConsumerControl, workers: Sequence[DrainingWorker]) -> None:
        """Ask workers for their queues, and make them stop consuming; ask again without a reply."""
        if not workers:
            return
        replies = control.inspect(FIRST_COMMANDS, [one.name for one in workers])
        ready: list[DrainingWorker] = []
        for one in workers:
            queues = consuming(replies, one.name)
            if queues is not None:
                one.begin(queues, replies[one.name], time.monotonic())
                ready.append(one)
            elif one.is_silent(self._context.roster):
                if one.consumers:
                    self._end(one, Answer("silent", f"it no longer replies; {one.remainder}"))
                else:
                    kind = control.unreadable
                    text = f"its replies in {kind} cannot be read" if kind else "no reply"
                    self._end(one, Answer("silent", f"{text}; nothing was changed"))
        try:
            for queue, consumers in _by_queue(ready).items():
                pause = PauseQueue(queue=queue, consumers=consumers)
                self._paused.remember(self._cluster, pause, drained=True)
        except OSError as error:
            reason = (
                f"cannot write {self._paused.path}: {error.strerror}. The drain could not be undone"
            )
            if not self._in("emptying", "leaving", "ended"):
                raise Refused(reason) from error
            for one in ready:
                self._end(one, Answer("unsent", reason))
            return
        for one in ready:
            one.stage = "emptying"
        self._cancel(control, ready)

    def _cancel(self, control: ConsumerControl, workers: Sequence[DrainingWorker]) -> None:
        for one in workers:
            one.cancelled_at = time.monotonic()
        for queue, consumers in _by_queue(workers).items():
            control.cancel(queue, [each.worker for each in consumers])

    def _inspect(self, control: ConsumerControl, workers: Sequence[DrainingWorker]) -> None:
        """Ask workers for their remaining tasks."""
        if not workers:
            return
        now = time.monotonic()
        # A solo worker may have been too busy to read the command in time.
        late = [
            one for one in workers if not one.verified and now - one.cancelled_at > RESEND_AFTER
        ]
        self._cancel(control, late)
        replies = control.inspect(COMMANDS, [one.name for one in workers])
        now = time.monotonic()
        for one in workers:
            queues = consuming(replies, one.name)
            if queues is None:
                self._miss(one)
            elif not queues:
                one.update(replies[one.name], now)
            elif one.still_consuming(now) > CONSUMER_TIMEOUT or one.verified:
                queue = next(iter(queues))
                self._restore(control, [one])
                text = f"it still consumes {queue} and was not shut down"
                if one.verified:
                    text = f"it consumes {queue} again and was not shut down"
                self._end(one, Answer("refused", text), forget=True)

    def _miss(self, one: DrainingWorker) -> None:
        """Find out why a worker did not reply."""
        if self._context.roster.offline_at.get(one.name, 0.0) > one.stopped_at:
            answer = Answer("confirmed", "it went offline by itself")
            self._end(one, answer, forget=True)
        elif one.is_silent(self._context.roster):
            self._end(one, Answer("silent", f"it no longer replies; {one.remainder}"))

    def _shut_down(self, control: ConsumerControl, workers: Sequence[DrainingWorker]) -> None:
        """Shut down workers without tasks."""
        if not workers or self._context.cancelled.is_set():
            return
        for one in workers:
            one.stage = "leaving"
            one.stopped_at = time.monotonic()
            # If the connection breaks now, the command is neither sent again nor taken as sent.
            one.sent = False
        control.shut_down([one.name for one in workers])
        for one in workers:
            one.sent = True

    def _check_offline(self, control: ConsumerControl, workers: Iterable[DrainingWorker]) -> None:
        """Wait for worker-offline events; after a while ask whether the worker still replies."""
        for one in workers:
            if self._context.roster.offline_at.get(one.name, 0.0) >= one.stopped_at:
                late = "; too late to undo" if self._undone else ""
                self._end(
                    one, Answer("confirmed", f"it is offline{one.returned}{late}"), forget=True
                )
            elif time.monotonic() - one.stopped_at > OFFLINE_TIMEOUT:
                replies = bool(control.inspect(["active_queues"], [one.name]))
                if not one.sent:
                    text = f"connection lost while sending the shutdown; {one.remainder}"
                    self._end(one, Answer("unsure", text))
                elif replies:
                    text = f"the shutdown was sent, but it is still online; {one.remainder}"
                    self._end(one, Answer("silent", text))
                else:
                    text = "it no longer replies after the shutdown; no worker-offline event came"
                    self._end(one, Answer("silent", text), forget=True)

    def _undo(self, control: ConsumerControl) -> None:
        """Make the workers that are not shut down consume again, and verify it."""
        workers = self._in("emptying")
        for one in self._in("asked"):
            if one.consumers:
                workers.append(one)
            else:
                self._end(one, Answer("unsent", "cancelled before anything was changed"))
        self._restore(control, workers)
        deadline = time.monotonic() + CONSUMER_TIMEOUT
        left = workers
        while left:
            replies = control.inspect(["active_queues"], [one.name for one in left])
            for one in left:
                queues = consuming(replies, one.name)
                if queues is not None and queues.keys() >= one.consumers.keys():
                    names = ", ".join(sorted(one.consumers)) or "nothing"
                    answer = Answer("restored", f"consuming {names}, as before")
                    self._end(one, answer, forget=True)
            left = [one for one in left if one.stage != "ended"]
            if time.monotonic() > deadline:
                break
        for one in left:
            text = f"it has not confirmed that it consumes its queues again; {one.remainder}"
            self._end(one, Answer("silent", text))
        self._undone = True

    def _restore(self, control: ConsumerControl, workers: Sequence[DrainingWorker]) -> None:
        for queue, consumers in _by_queue(workers).items():
            control.add(queue, consumers)

    def _report_stage(self) -> None:
        lines = [one.progress for one in self._workers if one.stage != "ended"]
        stage = "; ".join(lines[:MAX_STAGE_WORKERS])
        if (more := len(lines) - MAX_STAGE_WORKERS) > 0:
            stage += f"; and {more} more"
        if stage != self._context.outcome.stage:
            self._context.report(stage=stage)


def _by_queue(workers: Collection[DrainingWorker]) -> dict[str, tuple[Consumer, ...]]:
    """Return the consumers of each queue."""
    queues: dict[str, tuple[Consumer, ...]] = {}
    for one in workers:
        for queue, consumer in one.consumers.items():
            queues[queue] = (*queues.get(queue, ()), consumer)
    return queues
