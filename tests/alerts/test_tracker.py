"""Findings become alerts when they last, and are resolved when they are gone."""

from __future__ import annotations

from typing import Any

from celtop.alerts.tracker import MAX_ALERTS, AlertTracker
from celtop.model.entities.limits.alert_rules import AlertRules
from celtop.model.health.finding import Finding, Severity

NOW = 1_800_000_000.0


def finding(name: str = "mail", severity: Severity = "error", **fields: Any) -> Finding:
    return Finding(fields.pop("code", "queue-no-consumers"), severity, "queue", "x", name, **fields)


def changes(tracker: AlertTracker, at: float, *findings: Finding) -> list[tuple[str, str]]:
    found = tracker.update(findings, NOW + at)
    return [(alert.finding.name, change) for alert, change in found]


def test_an_alert_is_raised_once_its_finding_has_lasted() -> None:
    tracker = AlertTracker(AlertRules(after=10, repeat=0))
    assert changes(tracker, 0, finding()) == []
    assert changes(tracker, 9, finding()) == []
    assert changes(tracker, 10, finding()) == [("mail", "raised")]
    assert changes(tracker, 500_000, finding()) == []
    (alert,) = tracker.active
    assert (alert.started_at, alert.ended_at) == (NOW, None)


def test_a_finding_that_does_not_last_raises_none() -> None:
    tracker = AlertTracker(AlertRules(after=10))
    assert changes(tracker, 0, finding()) == []
    assert changes(tracker, 5) == []
    assert changes(tracker, 10, finding()) == []
    assert tracker.active == []


def test_it_is_repeated_and_resolved() -> None:
    tracker = AlertTracker(AlertRules(after=10, repeat=100))
    changes(tracker, 0, finding())
    changes(tracker, 10, finding())
    assert changes(tracker, 109, finding()) == []
    assert changes(tracker, 110, finding()) == [("mail", "repeated")]
    assert changes(tracker, 115) == []
    assert changes(tracker, 119, finding()) == [], "it came back before it was resolved"
    assert changes(tracker, 130) == [("mail", "resolved")]
    assert tracker.active == []
    assert changes(tracker, 131) == []


def test_nothing_is_resolved_while_its_data_is_missing() -> None:
    tracker = AlertTracker(AlertRules(after=0))
    assert changes(tracker, 0, finding()) == [("mail", "raised")]
    lost = finding("", code="broker-unreachable", incomplete=True)
    assert changes(tracker, 60, lost) == [("", "raised")]
    assert {alert.finding.name for alert in tracker.active} == {"mail", ""}
    assert set(changes(tracker, 61)) == {("mail", "resolved"), ("", "resolved")}


def test_only_severe_findings_that_are_not_ignored() -> None:
    tracker = AlertTracker(AlertRules(after=0, severity="warning", ignore=("clock-skew",)))
    found = changes(
        tracker,
        0,
        finding("a", "warning"),
        finding("b", "info"),
        finding("c", code="clock-skew"),
    )
    assert found == [("a", "raised")]


def test_a_finding_that_changes_is_the_same_alert() -> None:
    tracker = AlertTracker(AlertRules(after=0))
    changes(tracker, 0, finding(evidence={"waiting": 3}))
    assert changes(tracker, 1, finding(evidence={"waiting": 4})) == []
    (alert,) = tracker.active
    assert alert.finding.evidence == {"waiting": 4}


def test_alerts_are_bounded() -> None:
    tracker = AlertTracker(AlertRules(after=0))
    many = [finding(str(number)) for number in range(MAX_ALERTS + 5)]
    assert len(changes(tracker, 0, *many)) == MAX_ALERTS
