"""Decides when findings become alerts, and when these are resolved. Pure: time is an argument.

An alert is identified by the code and the subject of its finding. It is raised when the finding has
lasted for `for` seconds, repeated every `repeat` seconds, and resolved when the finding has been
gone for `for` seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from ..model.entities.limits.alert_rules import LEAST_SEVERITIES, AlertRules
from ..model.health.finding import Finding

Change: TypeAlias = Literal["raised", "repeated", "resolved"]
MAX_ALERTS: Final = 1_000
"""Alerts at a time; further findings raise none until others are resolved."""


class Alert(msgspec.Struct, frozen=True):
    """A finding that has lasted long enough."""

    finding: Finding
    started_at: float
    """When the finding was first seen, epoch seconds."""
    ended_at: float | None = None
    """When it was last seen, once it is resolved."""


class Raised(NamedTuple):
    """An alert, and why it is to be delivered now."""

    alert: Alert
    change: Change


class _Seen(msgspec.Struct):
    finding: Finding
    first_at: float
    last_at: float
    delivered_at: float | None = None


class AlertTracker:
    """Follows the findings of a cluster, and returns the alerts to deliver."""

    def __init__(self, rules: AlertRules) -> None:
        self._rules = rules
        self._severities = LEAST_SEVERITIES[: LEAST_SEVERITIES.index(rules.severity) + 1]
        self._seen: dict[tuple[str, str], _Seen] = {}

    @property
    def active(self) -> list[Alert]:
        """The alerts that are raised and not resolved, in the order of their start."""
        seen = sorted(self._seen.values(), key=lambda one: one.first_at)
        return [Alert(one.finding, one.first_at) for one in seen if one.delivered_at is not None]

    def update(self, findings: Iterable[Finding], now: float) -> list[Raised]:
        """Return the alerts to deliver at `now` (epoch seconds).

        While other data is incomplete because of a finding, such as a lost connection, no alert is
        resolved: nothing proves that its cause is gone.
        """
        incomplete = False
        for finding in findings:
            incomplete = incomplete or finding.incomplete
            if finding.severity in self._severities and finding.code not in self._rules.ignore:
                self._see(finding, now)
        found = [self._due(one, now) for one in self._seen.values()]
        if not incomplete:
            found += [self._over(key, now) for key in list(self._seen)]
        return [one for one in found if one is not None]

    def _see(self, finding: Finding, now: float) -> None:
        key = (finding.code, finding.subject)
        seen = self._seen.get(key)
        if seen is not None:
            seen.finding, seen.last_at = finding, now
        elif len(self._seen) < MAX_ALERTS:
            self._seen[key] = _Seen(finding, now, now)

    def _due(self, seen: _Seen, now: float) -> Raised | None:
        if seen.last_at < now or now - seen.first_at < self._rules.after:
            return None
        change: Change = "raised"
        if seen.delivered_at is not None:
            repeat = self._rules.repeat
            if not repeat or now - seen.delivered_at < repeat:
                return None
            change = "repeated"
        seen.delivered_at = now
        return Raised(Alert(seen.finding, seen.first_at), change)

    def _over(self, key: tuple[str, str], now: float) -> Raised | None:
        """Forget a finding that is gone, and return its alert if one was raised."""
        seen = self._seen[key]
        if seen.last_at >= now:
            return None
        if seen.delivered_at is None:
            del self._seen[key]  # it did not last
            return None
        if now - seen.last_at < self._rules.after:
            return None
        del self._seen[key]
        return Raised(Alert(seen.finding, seen.first_at, seen.last_at), "resolved")
