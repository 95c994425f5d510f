"""How many messages wait in which queue, by the broker's own count."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ...model.observations import LatencyMeasured
from .poller import MAX_INTERVAL, PAUSE_AFTER, Poller
from .queue_depths import AmqpDepths, OtherDepths, RedisDepths, depths

if TYPE_CHECKING:
    from kombu.connection import Connection

FIRST_INTERVALS: Final = (1.0, 2.0, 4.0)
"""Seconds between the first measurements: what comes up with us is seen soon."""
BACKGROUND_INTERVAL: Final = 30.0
MIN_INTERVAL: Final = 0.5
"""Seconds at least between two measurements, however often somebody asks."""


class QueuePoller(Poller):
    """Measures the queues."""

    topic = "queue"
    other_topic = "worker"
    _depths: RedisDepths | AmqpDepths | OtherDepths
    _count = 0
    _cost = 2.0
    _measured_at = float("-inf")

    def opened(self, connection: Connection) -> None:
        """Choose how to measure by the kind of broker."""
        self._depths = depths(connection, self._broker, self._roster.exchanges, self._clock)
        self._measured_at = float("-inf")
        if self._broker.is_amqp:
            self.note(
                "info",
                "RabbitMQ does not list its queues over AMQP: one that no worker consumes is seen "
                "only if task-sent events or the setting `queues` name it",
            )

    def poll(self, connection: Connection) -> float:
        """Measure if it is time."""
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
        longest = MAX_INTERVAL if self._interest.frugal else preferred * 6
        return self.interval(preferred, self._cost, longest)

    def _measure(self) -> None:
        started = self._measured_at = time.monotonic()
        before = self._broker.meter.sent
        names = frozenset(self._roster.queues | set(self._broker.settings.queues))
        for one in self._depths.measure(names):
            self.put(one)
        self._count += 1
        self._cost = max(1.0, self._broker.meter.sent - before)
        latency = self._depths.latency or time.monotonic() - started
        self.put(LatencyMeasured(latency, self._broker.meter.sent))
