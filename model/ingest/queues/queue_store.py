"""The queues: depth, trend, consumers, and the rates at which they fill and drain.

Brokers do not report comparable rates. The outgoing rate is derived from the `task-received`
events of tasks whose queue is known; the incoming rate from the change in depth plus the outgoing
tasks. If more than a few events cannot be attributed to a queue, both are unknown, and a note
states why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Final

from ...entities.fact import NEVER_ASKED, Fact
from ...entities.fault import Fault
from ...entities.queue import Queue
from ...entities.series.rates import RATE_WINDOW
from ...entities.worker import Worker
from ...observations import QueueGone, QueueMeasured, QueuesPaused
from .queue_ages import QueueAges
from .stale_consumers import StaleConsumers

MAX_QUEUES: Final = 2_000
"""Queues kept; a task may name any queue."""
MAX_LEFT_OUT: Final = 20_000
"""Further queues that are only counted."""

MAX_UNATTRIBUTED_SHARE: Final = 0.05
"""The part of a queue's received tasks up to which others, whose queue is unknown, do not matter:
a rate is at most as much too low."""
MIN_WINDOW: Final = 4.0
"""Seconds between two depths that are needed to derive a rate."""


class QueueStore:
    """Queues by name."""

    def __init__(
        self, workers: Mapping[str, Worker], ages: QueueAges, stale_consumers: StaleConsumers
    ) -> None:
        self.queues: dict[str, Queue] = {}
        self.left_out: dict[str, int | None] = {}
        """Waiting messages of measured queues beyond `MAX_QUEUES`, by name; None if unknown."""
        self.gone_at: dict[str, float] = {}
        """When the broker was found to have lost each of the queues that were forgotten."""
        self._workers = workers
        self._ages = ages
        self._stale_consumers = stale_consumers
        self.consumers_fact = NEVER_ASKED
        """Whether the consumers of all queues are known; `answered_at` is the oldest reply."""
        self._consumers: dict[str, tuple[str, ...]] = {}

    def get_or_create(self, name: str) -> Queue | None:
        """Return a queue by name, created if necessary; None if there are too many."""
        queue = self.queues.get(name)
        if queue is None and name and len(self.queues) < MAX_QUEUES:
            name = sys.intern(name)
            known = self._consumers.get(name, ())
            queue = Queue(name, known_consumers=known, receivers=frozenset(known))
            queue.facts["consumers"] = self.consumers_fact
            self.queues[name] = queue
        return queue

    def shared_name(self, name: str) -> str:
        """Return a queue's name as one text for all tasks, creating the queue if necessary."""
        queue = self.get_or_create(name)
        return sys.intern(name) if queue is None else queue.name

    def received(self, name: str, worker: str, now: float) -> None:
        """Count a task that a worker received from a queue."""
        queue = self.queues.get(name)
        if queue is not None:
            queue.received.add(now)
            if worker not in queue.receivers:
                self._stale_consumers.suspect((worker,))

    def set_consumers(self, online: Iterable[Worker], fact: Fact) -> None:
        """Derive each queue's consumers from the queues of the workers that are not offline.

        `fact` states whether all of these workers have reported their queues.
        """
        self.consumers_fact = fact
        consumers: dict[str, list[str]] = {}
        for worker in online:
            for consumed in worker.queues or ():
                if consumed.name in consumers or len(consumers) < MAX_QUEUES:
                    consumers.setdefault(consumed.name, []).append(worker.name)
        self._consumers = {name: tuple(sorted(names)) for name, names in consumers.items()}
        for name in self._consumers:
            self.get_or_create(name)
        for queue in self.queues.values():
            names = self._consumers.get(queue.name, ())
            before = queue.fact("consumers")
            queue.facts["consumers"] = fact
            if names != queue.known_consumers or before.fault != fact.fault:
                queue.known_consumers, queue.receivers = names, frozenset(names)
                queue.version += 1

    def note_consumers(self, now: float) -> None:
        """Note which queues have consumers, paused ones perhaps no longer; call it every second."""
        for queue in self.queues.values():
            if queue.pause is not None and queue.receivers:
                # Perhaps another celtop has paused it, which is recorded before it is done.
                self._stale_consumers.suspect(queue.receivers.intersection(queue.pause.workers))
            if queue.has_consumers:
                queue.consumed_at, queue.unconsumed_since = now, None
            elif queue.unconsumed_since is None and queue.has_no_consumers:
                queue.unconsumed_since = now

    def measured(self, seen: QueueMeasured) -> None:
        """Apply a measured depth and derive rates and age from it."""
        queue = self.get_or_create(seen.name)
        if queue is None:
            if seen.name in self.left_out or len(self.left_out) < MAX_LEFT_OUT:
                self.left_out[seen.name] = seen.waiting
            return
        self.left_out.pop(seen.name, None)
        gone_at = self.gone_at.pop(seen.name, None)
        if queue.measured_at is not None and seen.at < queue.measured_at:
            return  # older statistics
        queue.measured_at = seen.at
        if not seen.is_missing:
            queue.missing_since = None
        elif queue.missing_since is None:
            queue.missing_since = seen.at if gone_at is None else gone_at
        queue.facts["depth"] = _depth(queue, seen)
        queue.waiting, queue.unacked = seen.waiting, seen.unacked
        queue.unacked_at_least = seen.unacked_at_least
        queue.by_priority = dict(seen.by_priority)
        queue.consumer_count = seen.consumer_count
        queue.kind, queue.max_priority = seen.queue_kind, seen.max_priority
        queue.message_bytes, queue.statistics_at = seen.message_bytes, seen.statistics_at
        if seen.waiting is not None:
            queue.history.append((seen.at, seen.waiting))
        notes = list(seen.notes)
        if seen.waiting is None:
            queue.in_per_s = queue.out_per_s = None
        else:
            self._set_rates(queue, seen, notes)
            self._check_consumers(queue)
        self._ages.apply(queue, seen)
        queue.next_names = tuple({head.name: None for head in seen.heads if head.name})
        queue.notes = tuple(notes)
        queue.version += 1

    def set_delayed(self, counts: Mapping[str, int]) -> None:
        """Set how many messages are delayed for each queue; for an unknown one, by ``""``."""
        for name in counts:
            self.get_or_create(name)
        for queue in self.queues.values():
            delayed = None if counts.get("") else counts.get(queue.name, 0)
            if delayed != queue.delayed:
                queue.delayed = delayed
                queue.version += 1

    def paused(self, seen: QueuesPaused) -> None:
        """Apply which queues are paused."""
        for name in seen.pauses:
            self.get_or_create(name)
        for queue in self.queues.values():
            before, pause = queue.pause, seen.pauses.get(queue.name)
            if pause != before:
                queue.pause = pause
                queue.version += 1
                if before is not None:
                    # Perhaps another celtop has resumed it.
                    self._stale_consumers.suspect(set(before.workers) - queue.receivers)

    def gone(self, gone: QueueGone) -> None:
        """Forget a queue that the broker no longer has; one with consumers stays, empty."""
        self.left_out.pop(gone.name, None)
        queue = self.queues.get(gone.name)
        if queue is None:
            return
        if queue.known_consumers:
            self.measured(QueueMeasured(gone.name, gone.at, waiting=0))
        else:
            del self.queues[gone.name]
            self.gone_at[gone.name] = gone.at
            if len(self.gone_at) > MAX_QUEUES:
                del self.gone_at[next(iter(self.gone_at))]

    def _set_rates(self, queue: Queue, seen: QueueMeasured, notes: list[str]) -> None:
        now = seen.at
        queue.in_per_s, queue.out_per_s = seen.in_per_s, seen.out_per_s
        if seen.rates_are_final:
            return
        since, depth = _oldest_within(queue, now - RATE_WINDOW)
        span = now - since
        if span < MIN_WINDOW or queue.waiting is None:
            return
        left = 0 if queue.has_no_consumers else queue.received.count_since(since, now)
        reason = self._unknown_rate_reason(queue, since, left)
        if reason is not None:
            if queue.out_per_s is None:
                notes.append(reason)
            return
        queue.out_per_s = left / span
        queue.in_per_s = max(0.0, (queue.waiting - depth + left) / span)

    def _check_consumers(self, queue: Queue) -> None:
        """Suspect the consumers of a queue that grows while no task of it is received."""
        if queue.consumer_count is not None:
            if queue.consumer_count != len(queue.receivers):
                self._stale_consumers.suspect(queue.receivers or self._workers)
        elif queue.receivers and len(queue.history) > 1:
            (before, depth), (now, waiting) = queue.history[-2], queue.history[-1]
            if waiting > depth and not queue.received.count_since(before, now):
                self._stale_consumers.suspect(queue.receivers)

    def _unknown_rate_reason(self, queue: Queue, since: float, received: int) -> str | None:
        """Return why the tasks received from the queue since then are not all known, or None.

        `received` are known: a few others, such as tasks that another celtop has sent, are ignored.
        """
        known, others = queue.known_consumers, 0
        if queue.consumer_count and not known:
            return "rates unknown: its consumers send no events"
        if queue.consumers is None and not known:
            return f"rates unknown: {queue.fact('consumers').reason}"
        for name in known:
            worker = self._workers.get(name)
            if worker is None:
                continue
            if worker.events_enabled is False:
                return f"rates unknown: task events of {name} are off"
            if worker.events_enabled is None:
                return f"rates unknown: whether {name} sends task events is unknown"
            for at in reversed(worker.unattributed.values()):
                if at < since:
                    break
                others += 1
                if others > MAX_UNATTRIBUTED_SHARE * received:
                    return (
                        f"rates unknown: {name} received tasks whose queue is unknown"
                        " (see task_send_sent_event)"
                    )
        return None


def _depth(queue: Queue, seen: QueueMeasured) -> Fact:
    """Return what is known about the depth after a measurement."""
    if seen.waiting is not None:
        return queue.fact("depth").answered(seen.at)
    reason = next(iter(seen.notes), "not available on this broker")
    return queue.fact("depth").failed(seen.at, Fault("depth", reason, ""))


def _oldest_within(queue: Queue, start: float) -> tuple[float, int]:
    """Return the oldest sample since `start`, or an earlier one if only the newest is."""
    oldest = newest = queue.history[-1]
    for sample in reversed(queue.history):
        if sample[0] < start:
            # Screens without queues measure them rarely: a longer window beats an unknown rate.
            if oldest is newest and sample[0] > start - RATE_WINDOW:
                return sample
            break
        oldest = sample
    return oldest
