"""Raises the alerts of a cluster by the command and the webhook of its rules, without a screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..alerts.sender import AlertSender
from ..alerts.tracker import AlertTracker
from ..model.health.findings import findings

if TYPE_CHECKING:
    from ..model.entities.changes import Changes
    from ..model.entities.limits.alert_rules import AlertRules
    from ..model.health.finding import Finding
    from ..model.state import ClusterState

FINDINGS_SHARE: Final = 0.02
"""The part of the time that finding problems may take: a large cluster is looked at less often."""


class AlertSink:
    """Follows the findings of a cluster, and delivers their alerts.

    Args:
        rules: Which findings raise an alert, and how it is delivered.
        cluster: The name of the cluster in the data.
        on_problem: Called with the reason, in a thread of its own, if a delivery fails.
        quiets: Returns whether a finding is acknowledged.
        leads: Returns whether alerts are to be delivered, and not by another collector.
    """

    def __init__(
        self,
        rules: AlertRules,
        cluster: str,
        on_problem: Callable[[str], object],
        quiets: Callable[[Finding], bool] = lambda finding: False,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._tracker = AlertTracker(rules)
        self._sender = AlertSender(rules, cluster, on_problem)
        self._quiets = quiets
        self._leads = leads
        self._due_at = 0.0

    def start(self) -> None:
        """Start delivering."""
        self._sender.start()

    def stop(self) -> None:
        """End delivering."""
        self._sender.stop()

    def update(self, state: ClusterState, changes: Changes, now: float) -> None:
        """Look at the findings, and deliver what is due."""
        if not self._leads():
            return
        if 0 <= self._due_at - now <= 1.0 / FINDINGS_SHARE:  # else the clock was set back
            return
        started = time.perf_counter()
        found = [one for one in findings(state, now) if not self._quiets(one)]
        self._due_at = now + (time.perf_counter() - started) / FINDINGS_SHARE
        raised = self._tracker.update(found, now)
        self._sender.deliver(raised, self._tracker.active, now)
