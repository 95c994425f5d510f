"""Polls the depths of the queues."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ...model.entities.fault import Fault
from ...model.observations import LatencyMeasured, QuestionsAnswered, QuestionsFailed
from .poller import MAX_INTERVAL, PAUSE_AFTER, Poller
from .queue_depths import AmqpDepths, OtherDepths, depths
from .redis_depths import RedisDepths

if TYPE_CHECKING:
    from kombu.connection import Connection

FIRST_INTERVALS: Final = (1.0, 2.0, 4.0)
"""Seconds between the first measurements, since queues appear while workers start."""
BACKGROUND_INTERVAL: Final = 30.0
"""Seconds between two measurements while no screen shows queues."""
MIN_INTERVAL: Final = 0.5
"""Seconds between two measurements, even when refreshes are requested more often."""


class QueuePoller(Poller):
    """Measures the queue depths."""

    topic = "queue"
    other_topic = "worker"
    _depths: RedisDepths | AmqpDepths | OtherDepths
    _count = 0
    _cost = 2.0
    _measured_at = float("-inf")

    def opened(self, connection: Connection) -> None:
        """Choose how to measure, by the kind of broker."""
        self._depths = depths(connection, self._broker, self._roster.exchanges)
        self._measured_at = float("-inf")
        if self._broker.is_amqp:
            self.note(
                "info",
                "AMQP cannot list queues: a queue without consumers is shown only if a task-sent "
                "event or the setting `queues` names it",
            )

    def failed(self, fault: Fault) -> None:
        """Report the depths as not measured."""
        at, names = time.time(), tuple(self._names())
        self.put(QuestionsFailed("cluster", ("depths",), at, fault))
        self.put(QuestionsFailed("queue", ("depth",), at, fault, names))

    def poll(self, connection: Connection) -> float:
        """Measure if a measurement is due."""
        due = self._measured_at + self._interval()
        if self._refresh:
            due = self._measured_at + MIN_INTERVAL
        elif self._inbox.seconds_since_take() > PAUSE_AFTER:
            return 1.0
        now = time.monotonic()
        if now < due:
            return min(1.0, due - now)
        self._refresh = False
        self._measure()
        return min(1.0, self._interval())

    def _interval(self) -> float:
        if self._count <= len(FIRST_INTERVALS):
            return FIRST_INTERVALS[self._count - 1] if self._count else 0.0
        preferred = self._broker.settings.queue_interval
        if not self._interest.on(self.topic):
            return self.interval(max(preferred, BACKGROUND_INTERVAL), self._cost, MAX_INTERVAL)
        maximum = MAX_INTERVAL if self._interest.frugal else preferred * 6
        return self.interval(preferred, self._cost, maximum)

    def _measure(self) -> None:
        started = self._measured_at = time.monotonic()
        before = self._broker.meter.sent
        for one in self._depths.measure(self._names()):
            self.put(one)
        self.put(QuestionsAnswered(("depths",), time.time()))
        self._count += 1
        self._cost = max(1.0, self._broker.meter.sent - before)
        latency = self._depths.latency or time.monotonic() - started
        self.put(LatencyMeasured(latency, self._broker.meter.sent))

    def _names(self) -> frozenset[str]:
        return frozenset(self._roster.queues | set(self._broker.settings.queues))
