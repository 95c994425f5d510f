"""The event stream: its connection, and the events that were missed, malformed or dropped."""

from __future__ import annotations

from typing import Final

from ..entities.broker import Broker, BrokerPhase
from ..entities.cluster.log import EventLog, Level
from ..entities.cluster.totals import Totals
from ..entities.fault import Fault
from ..observations import (
    ConnectionChanged,
    ConnectionProved,
    EventsDropped,
    LatencyMeasured,
    MemoryMeasured,
)

MAX_MALFORMED_REASONS: Final = 50
"""Reasons that are counted apart; further ones count as `other`."""
DROPPED_LOG_INTERVAL: Final = 10.0
"""Seconds between two log entries about dropped events; `Totals` is always exact."""


class EventStream:
    """Keeps the state of the broker connection, and counts and logs losses."""

    def __init__(self, broker: Broker, totals: Totals, log: EventLog) -> None:
        self._broker = broker
        self._totals = totals
        self._log = log
        self._fault_logged: Fault | None = None
        self._dropped_unlogged = 0
        self._dropped_logged_at = float("-inf")

    def connection_changed(self, change: ConnectionChanged) -> bool:
        """Update the broker; return whether events may have been missed until now."""
        broker = self._broker
        before, since = broker.phase, broker.since
        broker.fault, broker.unverified = change.fault, change.unverified
        broker.url = broker.url if change.url is None else change.url
        broker.transport = broker.transport if change.transport is None else change.transport
        broker.retry_at = None if change.retry_in is None else change.at + change.retry_in
        broker.version += 1
        if before != change.phase or since is None:
            broker.phase = change.phase
            broker.since = change.at
        if change.phase == "live":
            return before != "live" and self._went_live(change.at, before, since)
        if change.phase == "blocked":
            self._blocked(change)
        else:
            self._disconnected(change, before)
        return False

    def connection_proved(self, proof: ConnectionProved) -> None:
        """Record that the event connection works."""
        self._broker.proved_at = proof.at

    def _went_live(self, at: float, before: BrokerPhase, since: float | None) -> bool:
        broker = self._broker
        self._fault_logged = None
        broker.live_since = broker.proved_at = at
        if before == "blocked":
            text = f"accepts messages again after {at - (since or at):.0f} s"
            self._log.add(at, "info", "broker", text)
            return True
        self._log.add(at, "info", "broker", "connected")
        if broker.lost_at is None:
            return False
        gap = max(0.0, at - broker.lost_at)
        text = f"disconnected for {gap:.0f} s; events sent meanwhile were missed"
        self._log.add(at, "warning", "broker", text)
        return True

    def _blocked(self, change: ConnectionChanged) -> None:
        if change.fault != self._fault_logged:
            self._log.add(change.at, "error", "broker", str(change.fault))
        self._fault_logged = change.fault

    def _disconnected(self, change: ConnectionChanged, before: BrokerPhase) -> None:
        broker = self._broker
        if before == "blocked":
            # The workers' silence remains explained.
            broker.proved_at = broker.event_at
        reason = f": {change.fault}" if change.fault is not None else ""
        if before in ("live", "blocked"):
            broker.lost_at = min(change.at, max(broker.event_at, broker.proved_at))
            self._log.add(change.at, "error", "broker", f"connection lost{reason}")
        elif change.fault is not None and change.fault != self._fault_logged:
            level: Level = "error" if change.fault.is_configuration else "warning"
            self._log.add(change.at, level, "broker", str(change.fault))
        self._fault_logged = change.fault or self._fault_logged

    def latency_measured(self, measured: LatencyMeasured) -> None:
        """Update the broker's latency and the number of commands sent to it."""
        self._broker.latency = measured.seconds
        self._broker.commands_sent = measured.commands_sent
        self._broker.version += 1

    def memory_measured(self, measured: MemoryMeasured) -> None:
        """Update what is known about the broker's memory."""
        self._broker.memory = measured.memory
        self._broker.version += 1

    def count_malformed(self, reason: str, at: float) -> None:
        """Count an event that could not be decoded; log the first one with a reason."""
        self._totals.malformed += 1
        reasons = self._totals.malformed_reasons
        if reason not in reasons:
            if len(reasons) >= MAX_MALFORMED_REASONS:
                reason = "other"
            else:
                text = f"unreadable event: {reason} (further ones are only counted)"
                self._log.add(at, "warning", "events", text)
        reasons[reason] = reasons.get(reason, 0) + 1

    def count_dropped(self, dropped: EventsDropped) -> None:
        """Count events that were dropped because the inbox was full."""
        self._totals.lost += dropped.others
        self._totals.lost_heartbeats += dropped.heartbeats
        self._dropped_unlogged += dropped.others
        self.log_dropped(dropped.at)

    def log_dropped(self, at: float) -> bool:
        """Log dropped events if an entry is due; return whether one was added."""
        if not self._dropped_unlogged or at - self._dropped_logged_at < DROPPED_LOG_INTERVAL:
            return False
        text = (
            f"{self._dropped_unlogged:,} events dropped: they arrived faster than celtop read them"
        )
        self._log.add(at, "error", "events", text)
        self._dropped_logged_at = at
        self._dropped_unlogged = 0
        return True
