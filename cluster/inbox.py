"""What the I/O threads leave for the consumer: bounded, and every loss counted.

Room is counted in events, also those that could not be read. When it runs out, worker heartbeats go
first (the next one says the same), then the oldest events, in blocks: a consumer that has stopped
costs the receiver next to nothing. What the pollers find is never dropped; they pause when nobody
takes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from ..model.observations import EventsDropped, Observation
from ..model.wire.events import EventBatch

ROOM_MADE: Final = 0.1
"""The share of the room that is freed at once when there is none left."""


class Inbox:
    """A bounded queue of observations between many threads that put and one that takes."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._waiting: deque[Observation] = deque()
        self._events = 0
        self._lost_heartbeats = 0
        self._lost_others = 0
        self._lost_at = 0.0
        self._taken_at = time.monotonic()
        self._wake: Callable[[], object] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def events(self) -> int:
        """How many events wait."""
        return self._events

    def unattended(self) -> float:
        """Return the seconds since anybody last looked."""
        return time.monotonic() - self._taken_at

    def put(self, observation: Observation) -> None:
        """Add an observation; the oldest events make room for it if they must."""
        with self._lock:
            self._waiting.append(observation)
            if isinstance(observation, EventBatch):
                self._events += _size(observation)
                if self._events > self._room:
                    self._make_room(observation.at)
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def call_when_filled(self, wake: Callable[[], object]) -> None:
        """Have `wake` called once, by whoever puts something in next; at once if something is."""
        with self._lock:
            if not self._waiting:
                self._wake = wake
                return
        wake()

    def take(self) -> Observation | None:
        """Return the oldest observation, or None; a loss is told before what came after it."""
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
                self._events -= _size(observation)
            return observation

    def _make_room(self, at: float) -> None:
        target = int(self._room * (1 - ROOM_MADE))
        self._lost_at = at
        self._drop(target, heartbeats_only=True)
        self._drop(target, heartbeats_only=False)

    def _drop(self, target: int, *, heartbeats_only: bool) -> None:
        """Drop the oldest messages until no more than `target` events wait, or all were seen."""
        kept: deque[Observation] = deque()
        while self._waiting and self._events > target:
            observation = self._waiting.popleft()
            if not isinstance(observation, EventBatch):
                kept.append(observation)
                continue
            heartbeats = sum(event.type == "worker-heartbeat" for event in observation.events)
            others = len(observation.events) - heartbeats + len(observation.malformed)
            if heartbeats_only and others:
                kept.append(observation)
                continue
            self._events -= _size(observation)
            self._lost_heartbeats += heartbeats
            self._lost_others += others
        kept.extend(self._waiting)
        self._waiting = kept


def _size(heard: EventBatch) -> int:
    """Return how much room a message takes: one that holds nothing of use takes some as well."""
    return max(1, len(heard.events) + len(heard.malformed))
