"""Alerts as data: for Alertmanager's API, and for the program of `command`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ..model.text.sanitize import visible
from .tracker import Alert, Raised
from .wording import summary

SCHEMA: Final = "celtop.alerts/1"
EXPIRES_AFTER: Final = 300.0
"""Seconds after which Alertmanager takes an alert for resolved, unless it is posted again."""
MAX_TEXT: Final = 1_000


def postable(
    active: Iterable[Alert],
    resolved: Iterable[Alert],
    cluster: str,
    labels: Mapping[str, str],
    now: float,
) -> list[dict[str, Any]]:
    """Return alerts as Alertmanager's API takes them (`postableAlerts` of its OpenAPI, v2).

    Labels identify an alert there, so all that changes is an annotation.
    """
    ends = [(alert, now + EXPIRES_AFTER) for alert in active]
    ends += [(alert, alert.ended_at or now) for alert in resolved]
    return [
        {
            "labels": {
                **labels,
                "alertname": alert.finding.code,
                "severity": alert.finding.severity,
                "cluster": cluster,
                "subject": visible(alert.finding.subject, MAX_TEXT),
            },
            "annotations": {
                "summary": summary(alert),
                "description": visible(str(alert.finding), MAX_TEXT),
            },
            "startsAt": _iso(alert.started_at),
            "endsAt": _iso(end),
        }
        for alert, end in ends
    ]


def document(raised: Sequence[Raised], cluster: str) -> bytes:
    """Return what the program of `command` reads: one JSON document."""
    return msgspec.json.encode(
        {
            "schema": SCHEMA,
            "cluster": cluster,
            "alerts": [
                {
                    "change": change,
                    "code": alert.finding.code,
                    "severity": alert.finding.severity,
                    "subject": visible(alert.finding.subject, MAX_TEXT),
                    "text": visible(alert.finding.text, MAX_TEXT),
                    "next_step": visible(alert.finding.next_step, MAX_TEXT),
                    "started_at": _iso(alert.started_at),
                    "ended_at": None if alert.ended_at is None else _iso(alert.ended_at),
                }
                for alert, change in raised
            ],
        }
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
