"""Polls the depths of the queues."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ....model.entities.fault import Fault
from ....model.entities.queue import Pause
from ....model.observations import (
    LatencyMeasured,
    OtherClustersFound,
    QuestionsAnswered,
    QuestionsFailed,
    QueueMeasured,
    QueuesPaused,
)
from ...events.roster import MAX_NAMES
from ..poller import MAX_INTERVAL, PAUSE_AFTER, SHOWN_COMMANDS_PER_MINUTE, Poller
from .amqp_depths import AmqpDepths
from .queue_depths import OtherDepths, depths
from .redis_depths import RedisDepths
from .redis_memory import RedisMemory

if TYPE_CHECKING:
    from kombu.connection import Connection

FIRST_INTERVALS: Final = (1.0, 2.0, 4.0)
"""Seconds between the first measurements for a screen, since queues appear while workers start."""
BACKGROUND_INTERVAL: Final = 30.0
"""Seconds between two measurements while no screen shows queues."""
MIN_INTERVAL: Final = 0.5
"""Seconds between two measurements, even when refreshes are requested more often."""
MAX_SLEEP: Final = 1.0
"""Seconds between two looks for pauses of other processes, and for what is due, on a screen that
shows queues."""
QUIET_SLEEP: Final = 3.0
"""The same on other screens."""
SEARCH_INTERVAL: Final = 60.0
"""Seconds between two searches for other clusters while this one has no workers."""
TOO_MANY_QUEUES: Final = Fault(
    "too-many",
    f"of the queues that events name, only {MAX_NAMES:,} are measured",
    "Name the important queues with --queues",
)


class QueuePoller(Poller):
    """Measures the queue depths."""

    topic = "queue"
    other_topic = "worker"
    _depths: RedisDepths | AmqpDepths | OtherDepths | None = None
    _memory: RedisMemory | None = None
    _count = 0
    _named: frozenset[str] = frozenset()
    """The names of the queues that were measured last."""
    _cost = 2.0
    _measured_at = float("-inf")
    _search_at = float("-inf")
    _pauses: dict[str, Pause] | None = None
    pauses: Callable[[], dict[str, Pause]] = dict
    """Returns the queues recorded as paused."""

    def opened(self, connection: Connection) -> None:
        """Choose how to measure, by the kind of broker."""
        # A broker may lose queues while it is not connected, as Redis does in a restart without
        # its data.
        found = self._depths.found if self._depths is not None else ()
        self._depths = depths(connection, self._broker, self._roster, found)
        if self._broker.is_redis and not self._interest.frugal:
            self._memory = RedisMemory(connection)
        self._measured_at = self._search_at = float("-inf")

    def closing(self, connection: Connection) -> None:
        """Close what was opened beside the connection."""
        if isinstance(self._depths, AmqpDepths):
            self._depths.close()

    def failed(self, fault: Fault) -> None:
        """Report the depths as not measured."""
        at, names = time.time(), tuple(self._names())
        self.put(QuestionsFailed("cluster", ("depths",), at, fault))
        self.put(QuestionsFailed("queue", ("depth",), at, fault, names))

    def poll(self, connection: Connection) -> float:
        """Measure if a measurement is due."""
        self._look_for_pauses()
        due = self._measured_at + self._interval()
        if self._refresh:
            due = self._measured_at + MIN_INTERVAL
        elif self._inbox.seconds_since_take() > PAUSE_AFTER:
            return 1.0
        now = time.monotonic()
        if now >= due:
            if self._refresh and isinstance(self._depths, RedisDepths):
                self._depths.bindings.search_again()
            elif self._refresh and isinstance(self._depths, AmqpDepths):
                self._depths.search_again()
            self._refresh = False
            self._measure()
        elif now >= self._search_at and not self._roster.present():
            self._search_at = now + SEARCH_INTERVAL
            self._find_other_clusters()
        now = time.monotonic()
        if now >= self._search_at and not self._roster.present():
            return 0.0
        sleep = MAX_SLEEP if self._interest.topics or self._interest.one_shot else QUIET_SLEEP
        return min(sleep, max(0.0, self._measured_at + self._interval() - now))

    def _look_for_pauses(self) -> None:
        pauses = self.pauses()
        if pauses != self._pauses:
            self._pauses = pauses
            self.put(QueuesPaused(pauses, time.time()))

    def _interval(self) -> float:
        if not self._count:
            return 0.0
        if self._interest.one_shot:
            # On Redis, only workers name the queues whose bindings may not be read.
            if self._broker.is_redis and self._names() - self._named:
                return 0.0
            return max(BACKGROUND_INTERVAL, self._cost * 60.0 / SHOWN_COMMANDS_PER_MINUTE)
        if self._count <= len(FIRST_INTERVALS) and self._interest.topics:
            return FIRST_INTERVALS[self._count - 1]
        preferred = self._broker.settings.queue_interval
        if not self._interest.on(self.topic):
            return self.interval(max(preferred, BACKGROUND_INTERVAL), self._cost, MAX_INTERVAL)
        if self._interest.frugal:
            return self.interval(preferred, self._cost, MAX_INTERVAL)
        if self._interest.on("overview"):
            return self.interval(preferred, self._cost, preferred * 6)
        return preferred

    def _measure(self) -> None:
        assert self._depths is not None  # set when the connection was opened
        started = self._measured_at = time.monotonic()
        before = self._broker.meter.sent
        self._named = self._names()
        for one in self._depths.measure(self._named):
            self.put(one)
            if isinstance(one, QueueMeasured):
                self._named |= {one.name}
        if self._memory is not None and (memory := self._memory.measure()) is not None:
            self.put(memory)
        at = time.time()
        self.put(QuestionsAnswered(("depths",), at))
        fault = self._depths.fault
        if fault is not None and fault.kind == "unsupported":
            self.note("info", str(fault))
        if len(self._roster.queues) >= MAX_NAMES and (fault is None or fault.kind == "unsupported"):
            fault = TOO_MANY_QUEUES
        if fault is None:
            self.put(QuestionsAnswered(("queues",), at))
        else:
            self.put(QuestionsFailed("cluster", ("queues",), at, fault))
        self._count += 1
        self._cost = max(1.0, self._broker.meter.sent - before)
        latency = self._depths.latency or time.monotonic() - started
        self.put(LatencyMeasured(latency, self._broker.meter.sent))

    def _find_other_clusters(self) -> None:
        """Look for other clusters on the broker until a worker of this one appears."""
        if isinstance(self._depths, RedisDepths):
            found = self._depths.other_clusters(self._is_lonely)
            self.put(OtherClustersFound(tuple(found), time.time()))

    def _is_lonely(self) -> bool:
        return self.working and not self._refresh and not self._roster.present()

    def _names(self) -> frozenset[str]:
        return frozenset(self._roster.queues | set(self._broker.settings.queues))
