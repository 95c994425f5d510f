"""Take workers out of service without breaking anything off, and undo it until the last step.

A drained worker consumes nothing any more, ends what it runs and holds, and is then shut down. One
that is shut down at once ends its tasks as well, but answers nobody meanwhile, cannot be called
back, and what it holds starts elsewhere. Tasks that wait for their ETA hold a drain up for as long
as they please, so they do not: they go back to their queue when the worker ends.

A worker that consumes nothing is easily forgotten. What each one consumed is remembered as a pause
of its queues before it is touched, so that whatever happens to us, resuming them puts it right.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Final, cast

from ...model.operations.commands import Consumer, Drain, PauseQueue
from ...model.operations.outcome import Answer
from .consumers import Talk, consuming, talking
from .drain_worker import DrainingWorker
from .paused_queues import PausedQueues, identity
from .running import OperationContext, Refused

TICK: Final = 0.1
"""Seconds between two looks at whether somebody said good-bye or took the drain back."""
EARLY: Final = 0.5
LATE: Final = 5.0
"""Seconds between two questions, in the beginning and in the long run."""
COST: Final = 0.05
"""Seconds between two questions for each worker that is asked."""
SETTLED: Final = 8.0
"""Seconds in which a worker that was told about its consumers must have done it."""
AGAIN: Final = 4.0
"""Seconds after which it is told again: what a worker hears after ten, it ignores."""
GOODBYE: Final = 30.0
"""Seconds in which a worker without tasks says good-bye."""
RECONNECT: Final = 60.0
"""Seconds in which a lost broker must be back for the drain to go on."""
FIRST_QUESTIONS: Final = ("stats", "active_queues", "scheduled")
QUESTIONS: Final = ("active_queues", "reserved", "active")
"""In this order: a task that starts meanwhile is seen in one of them at least."""


def drain(doing: OperationContext) -> None:
    """Carry out a `Drain`: each worker goes down as soon as it is empty itself.

    Raises:
        Refused: If no worker is named, or what is undone could not be remembered.
        Exception: Whatever the transport raises, when the broker is lost for good.
    """
    command = cast(Drain, doing.outcome.operation)
    if not command.workers:
        raise Refused("no worker is named: nobody would do it")
    _Drain(doing, command.workers).run()


class _Drain:
    """One drain of several workers."""

    def __init__(self, doing: OperationContext, names: Sequence[str]) -> None:
        self._doing = doing
        self._workers = [DrainingWorker(name) for name in dict.fromkeys(names)]
        self._memory = PausedQueues()
        self._cluster = identity(doing.broker)
        self._next = 0.0
        self._pause = EARLY
        self._lost_at: float | None = None
        self._undone = False

    def run(self) -> None:
        """Go on until every worker has an answer, across connections that break."""
        while True:
            with ExitStack() as stack:
                try:
                    talk, errors = stack.enter_context(talking(self._doing))
                except Exception as error:  # each transport raises its own
                    self._bear(error)
                    continue
                try:
                    self._go_on(talk)
                except errors as error:
                    self._bear(error)
                    continue
                return

    def _bear(self, error: Exception) -> None:
        """Wait a moment for a lost broker; give up if nothing was changed, or after a while.

        Raises:
            Exception: The error, to give up.
        """
        changed = [one for one in self._workers if one.stage in ("emptying", "leaving")]
        if not changed:
            raise error
        now = time.monotonic()
        self._lost_at = self._lost_at or now
        if now - self._lost_at > RECONNECT:
            for one in changed:
                self._end(one, Answer("unsure", f"the broker is lost: {one.plight}"))
            raise error
        for one in changed:
            one.last_seen_at = now
            if one.stage == "emptying" and not one.verified:
                one.stage = "asked"
        if self._doing.outcome.stage != (stage := "waiting for the broker to come back"):
            self._doing.tell(stage=stage)
        time.sleep(EARLY)

    def _go_on(self, talk: Talk) -> None:
        while True:
            talk.patient = self._undone
            if self._doing.cancelled.is_set() and not self._undone:
                talk.patient = True
                self._undo(talk)
            if time.monotonic() >= self._next and (asked := self._in("asked", "emptying")):
                self._begin(talk, self._in("asked"))
                self._look(talk, self._in("emptying"))
                self._shut_down(talk, [one for one in self._in("emptying") if one.empty >= 2])
                self._lost_at = None
                self._pause = min(self._pause * 1.5, LATE)
                soon = EARLY if any(one.empty for one in asked) else self._pause
                self._next = time.monotonic() + max(soon, COST * len(asked))
            self._listen(talk, self._in("leaving"))
            self._tell_stage()
            if not self._in("asked", "emptying", "leaving"):
                return
            if self._undone:
                time.sleep(TICK)
            else:
                self._doing.cancelled.wait(TICK)

    def _in(self, *stages: str) -> list[DrainingWorker]:
        return [one for one in self._workers if one.stage in stages]

    def _end(self, one: DrainingWorker, answer: Answer, *, forget: bool = False) -> None:
        """Tell what became of a worker, and whether its consumers need not be remembered."""
        one.stage = "ended"
        if forget:
            for queue in one.ways:
                with suppress(OSError):
                    self._memory.forget(self._cluster, queue, {one.name})
        self._doing.tell(workers={one.name: answer})

    def _begin(self, talk: Talk, workers: Sequence[DrainingWorker]) -> None:
        """Ask workers what they consume, and have them stop; the silent are asked again."""
        if not workers:
            return
        replies = talk.ask(FIRST_QUESTIONS, [one.name for one in workers])
        ready: list[DrainingWorker] = []
        for one in workers:
            told = consuming(replies, one.name)
            if told is not None:
                one.begins(told, replies[one.name], time.monotonic())
                ready.append(one)
            elif one.is_silent(self._doing.roster):
                if one.ways:
                    self._end(one, Answer("silent", f"it answers no more: {one.plight}"))
                else:
                    kind = talk.unreadable
                    words = f"its answers in {kind} cannot be read" if kind else "no answer came"
                    self._end(one, Answer("silent", f"{words}: nothing was changed"))
        try:
            for queue, ways in _by_queue(ready).items():
                self._memory.remember(self._cluster, PauseQueue(queue=queue, consumers=ways))
        except OSError as error:
            reason = f"{self._memory.path} cannot be written ({error.strerror}): no undo"
            if not self._in("emptying", "leaving", "ended"):
                raise Refused(reason) from error
            for one in ready:
                self._end(one, Answer("unsent", reason))
            return
        for one in ready:
            one.stage = "emptying"
        self._cancel(talk, ready)

    def _cancel(self, talk: Talk, workers: Sequence[DrainingWorker]) -> None:
        for one in workers:
            one.cancelled_at = time.monotonic()
        for queue, ways in _by_queue(workers).items():
            talk.cancel(queue, [way.worker for way in ways])

    def _look(self, talk: Talk, workers: Sequence[DrainingWorker]) -> None:
        """Ask workers what they still have to do."""
        if not workers:
            return
        now = time.monotonic()
        # One that runs its tasks itself may have been too busy to be told in time.
        late = [one for one in workers if not one.verified and now - one.cancelled_at > AGAIN]
        self._cancel(talk, late)
        replies = talk.ask(QUESTIONS, [one.name for one in workers])
        now = time.monotonic()
        for one in workers:
            told = consuming(replies, one.name)
            if told is None:
                self._miss(one)
            elif not told:
                one.counts(replies[one.name], now)
            elif one.resists(now) > SETTLED or one.verified:
                queue = next(iter(told))
                self._give_back(talk, [one])
                why = "again: somebody gave it back, or it was restarted"
                words = f"it consumes {queue} {why if one.verified else 'though told not to'}"
                words += "; it is not shut down"
                self._end(one, Answer("refused", words), forget=True)

    def _miss(self, one: DrainingWorker) -> None:
        """See why a worker did not answer."""
        if self._doing.roster.offline_at.get(one.name, 0.0) > one.told_at:
            answer = Answer("confirmed", "it said good-bye before it was told to")
            self._end(one, answer, forget=True)
        elif one.is_silent(self._doing.roster):
            self._end(one, Answer("silent", f"it answers no more: {one.plight}"))

    def _shut_down(self, talk: Talk, workers: Sequence[DrainingWorker]) -> None:
        """Take the last step with workers that are empty."""
        if not workers or self._doing.cancelled.is_set():
            return
        for one in workers:
            one.stage = "leaving"
            one.told_at = time.monotonic()
            # If it breaks now, it is neither sent again nor taken for sent.
            one.sent = False
        talk.shut_down([one.name for one in workers])
        for one in workers:
            one.sent = True

    def _listen(self, talk: Talk, workers: Iterable[DrainingWorker]) -> None:
        """Hear good-byes; after a while see who is still there."""
        for one in workers:
            if self._doing.roster.offline_at.get(one.name, 0.0) >= one.told_at:
                late = "; too late to take back" if self._undone else ""
                self._end(
                    one, Answer("confirmed", f"it said good-bye{one.back}{late}"), forget=True
                )
            elif time.monotonic() - one.told_at > GOODBYE:
                answers = bool(talk.ask(["active_queues"], [one.name]))
                if not one.sent:
                    words = f"the connection broke when it was told to shut down: {one.plight}"
                    self._end(one, Answer("unsure", words))
                elif answers:
                    words = f"it was told to shut down, and answers all the same: {one.plight}"
                    self._end(one, Answer("silent", words))
                else:
                    words = "it was told to shut down and answers no more; no good-bye was heard"
                    self._end(one, Answer("silent", words), forget=True)

    def _undo(self, talk: Talk) -> None:
        """Put back what is not shut down yet, and see that it is."""
        workers = self._in("emptying")
        for one in self._in("asked"):
            if one.ways:
                workers.append(one)
            else:
                self._end(one, Answer("unsent", "taken back before anything was changed"))
        self._give_back(talk, workers)
        deadline = time.monotonic() + SETTLED
        left = workers
        while left:
            replies = talk.ask(["active_queues"], [one.name for one in left])
            for one in left:
                told = consuming(replies, one.name)
                if told is not None and told.keys() >= one.ways.keys():
                    words = (
                        f"undone: it consumes {', '.join(sorted(one.ways)) or 'nothing'}, as before"
                    )
                    self._end(one, Answer("refused", words), forget=True)
            left = [one for one in left if one.stage != "ended"]
            if time.monotonic() > deadline:
                break
        for one in left:
            words = f"it was told to consume again, and does not say that it does: {one.plight}"
            self._end(one, Answer("silent", words))
        self._undone = True

    def _give_back(self, talk: Talk, workers: Sequence[DrainingWorker]) -> None:
        for queue, ways in _by_queue(workers).items():
            talk.add(queue, ways)

    def _tell_stage(self) -> None:
        shown = [one.words for one in self._workers if one.stage != "ended"]
        more = f"; and {len(shown) - 5} more" if len(shown) > 5 else ""
        stage = "; ".join(shown[:5]) + more
        if stage != self._doing.outcome.stage:
            self._doing.tell(stage=stage)


def _by_queue(workers: Collection[DrainingWorker]) -> dict[str, tuple[Consumer, ...]]:
    """Return who consumes each queue, and how."""
    queues: dict[str, tuple[Consumer, ...]] = {}
    for one in workers:
        for queue, way in one.ways.items():
            queues[queue] = (*queues.get(queue, ()), way)
    return queues
