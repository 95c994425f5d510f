"""The inbox: a bounded queue of observations from the I/O threads; every lost event is counted.

Its capacity is counted in events, unreadable ones included. When it is full, worker heartbeats are
dropped first (the next one replaces them), then the oldest events, in blocks: a stopped consumer
costs the receiver next to nothing. Observations of the pollers are never dropped; the pollers pause
while the consumer takes nothing.

While many events wait, further messages are kept as they were received, and decoded again when they
are taken. 1,000 events take about 750 KiB decoded and 280 KiB as JSON, and the memory of a decoded
backlog could not be returned afterwards. Decoding is a tenth of the work for an event.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from ..model.entities.cluster.log import Level
from ..model.observations import EventsDropped, LogMessage, Observation
from ..model.wire.events import EventBatch, decode

FREED_SHARE: Final = 0.1
"""The share of the capacity that is freed at once when the inbox is full."""

MAX_DECODED_EVENTS: Final = 10_000
"""Waiting events above which messages are kept undecoded. Fewer arrive in a third of a second, also
at 30,000 a second; decoded, they take less than 8 MiB."""
MAX_JOINED_EVENTS: Final = 300
JOINED_SECONDS: Final = 0.02
"""Batches of events are taken together up to about this size, if they were received within this
time: the screen shows no time, and the model compares none, more exactly than that."""
ROUTINE_SECONDS: Final = 5.0
"""Seconds since the previous heartbeat of a worker after which it may have been late."""
ROUTINE_HEARTBEATS: Final = 3
"""Heartbeats in time after which the next ones of a worker can wait: its first ones are shown
immediately."""
MAX_WORKERS: Final = 5_000
"""Workers whose heartbeats are remembered."""
MAX_UNDECODED_LENGTH: Final = 1_024
"""Bytes per event up to which a message is kept undecoded; texts that are longer are cut when they
are decoded."""


class UndecodedBatch(msgspec.Struct, frozen=True, gc=False):
    """A message whose events were counted but not kept."""

    body: bytes | str
    at: float
    heartbeats: int
    others: int


class Inbox:
    """A bounded queue of observations, from many producer threads to one consumer."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._waiting: deque[Observation | UndecodedBatch] = deque()
        self._events = 0
        self._lost_heartbeats = 0
        self._lost_others = 0
        self._lost_at = 0.0
        self._taken_at = time.monotonic()
        self._callback: Callable[[], object] | None = None
        self._beats: dict[str, tuple[float, int]] = {}
        """When each worker last sent a heartbeat while a callback was set, in epoch seconds, and
        how many were in time before it."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def events(self) -> int:
        """Number of waiting events."""
        return self._events

    def seconds_since_take(self) -> float:
        """Return the seconds since the consumer last called `take`."""
        return time.monotonic() - self._taken_at

    def put(self, observation: Observation, body: bytes | str = b"") -> None:
        """Add an observation, dropping the oldest events if the inbox is full.

        Args:
            observation: What was observed.
            body: The message that it was decoded from, if it is a batch of events.
        """
        with self._lock:
            if not isinstance(observation, EventBatch):
                self._waiting.append(observation)
            else:
                keeps_body = body and self._events >= MAX_DECODED_EVENTS
                self._waiting.append(_undecoded(observation, body) if keeps_body else observation)
                self._events += _size(observation)
                if self._events > self._capacity:
                    self._make_room(observation.at)
            callback = self._callback
            if callback is None or self._is_routine(observation):
                return
            self._callback = None
        callback()

    def log(self, level: Level, source: str, text: str) -> None:
        """Add a log line."""
        self.put(LogMessage(level, source, text, time.time()))

    def call_on_put(self, callback: Callable[[], object]) -> None:
        """Call `callback` once, in the thread of the next `put`; now if the inbox is not empty.

        A heartbeat after several in time does not call it: it can wait until the consumer looks the
        next time, which would never rest with many workers.
        """
        with self._lock:
            if not self._waiting:
                self._callback = callback
                return
        callback()

    def take(self) -> Observation | None:
        """Return the oldest observation or None; a loss comes before the events that follow it."""
        self._taken_at = time.monotonic()
        with self._lock:
            if self._lost_heartbeats or self._lost_others:
                lost = EventsDropped(self._lost_heartbeats, self._lost_others, self._lost_at)
                self._lost_heartbeats = self._lost_others = 0
                return lost
            if not self._waiting:
                return None
            observation = self._waiting.popleft()
            if isinstance(observation, EventBatch):
                return self._with_next(observation)
            if not isinstance(observation, UndecodedBatch):
                return observation
            self._events -= _size(observation)
        return decode(observation.body, observation.at)

    def _with_next(self, first: EventBatch) -> EventBatch:
        """Return a batch with the events of those received just after it, which are removed.

        The smaller the batches are, the more of the time for applying them is not for events.
        """
        waiting, batches, size = self._waiting, [first], _size(first)
        while (
            size < MAX_JOINED_EVENTS
            and waiting
            and isinstance(batch := waiting[0], EventBatch)
            and 0 <= batch.at - first.at <= JOINED_SECONDS
        ):
            batches.append(batch)
            size += _size(batch)
            waiting.popleft()
        self._events -= size
        if len(batches) == 1:
            return first
        return EventBatch(
            tuple([event for batch in batches for event in batch.events]),
            batches[-1].at,
            tuple([reason for batch in batches for reason in batch.malformed]),
        )

    def _is_routine(self, observation: Observation) -> bool:
        """Return whether it is a heartbeat of a worker after several in time."""
        if not isinstance(observation, EventBatch) or observation.malformed:
            return False
        if any(event.type != "worker-heartbeat" for event in observation.events):
            return False
        routine = True
        for event in observation.events:
            before, count = self._beats.get(event.hostname, (0.0, 0))
            count = count + 1 if 0 <= observation.at - before <= ROUTINE_SECONDS else 0
            routine = routine and count >= ROUTINE_HEARTBEATS
            if len(self._beats) >= MAX_WORKERS and event.hostname not in self._beats:
                self._beats.clear()
            self._beats[event.hostname] = observation.at, count
        return routine

    def _make_room(self, at: float) -> None:
        target = int(self._capacity * (1 - FREED_SHARE))
        self._lost_at = at
        self._drop(target, heartbeats_only=True)
        self._drop(target, heartbeats_only=False)

    def _drop(self, target: int, *, heartbeats_only: bool) -> None:
        """Drop the oldest messages until at most `target` events wait, or all were checked."""
        kept: deque[Observation | UndecodedBatch] = deque()
        while self._waiting and self._events > target:
            observation = self._waiting.popleft()
            if not isinstance(observation, EventBatch | UndecodedBatch):
                kept.append(observation)
                continue
            heartbeats, others = _counts(observation)
            if heartbeats_only and others:
                kept.append(observation)
                continue
            self._events -= _size(observation)
            self._lost_heartbeats += heartbeats
            self._lost_others += others
        kept.extend(self._waiting)
        self._waiting = kept


def _counts(batch: EventBatch | UndecodedBatch) -> tuple[int, int]:
    """Return the number of heartbeats and that of all other events of a message."""
    if isinstance(batch, UndecodedBatch):
        return batch.heartbeats, batch.others
    heartbeats = [event.type for event in batch.events].count("worker-heartbeat")
    return heartbeats, len(batch.events) - heartbeats + len(batch.malformed)


def _size(batch: EventBatch | UndecodedBatch) -> int:
    """Return the number of events that a message counts for, at least one."""
    if isinstance(batch, UndecodedBatch):
        return max(1, batch.heartbeats + batch.others)
    return max(1, len(batch.events) + len(batch.malformed))


def _undecoded(batch: EventBatch, body: bytes | str) -> EventBatch | UndecodedBatch:
    """Return the form of a message that takes less memory."""
    if batch.malformed or len(body) > MAX_UNDECODED_LENGTH * len(batch.events):
        return batch
    return UndecodedBatch(body, batch.at, *_counts(batch))
