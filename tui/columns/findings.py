"""The columns of findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...lists import numbers
from ...model.health.finding import SEVERITY_ORDER
from ...model.text import units
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame
from ..text.alerts import Alert

ACKNOWLEDGED: Final = "acknowledged"


def severity_word(alert: Alert) -> str:
    """Return the severity of a finding, or that it is acknowledged."""
    return ACKNOWLEDGED if alert.acknowledged else alert.finding.severity


def _severity(alert: Alert, frame: Frame) -> Cell:
    word = severity_word(alert)
    quiet = alert.acknowledged or alert.finding.severity == "info"
    return f"{frame.glyphs.level(alert.level)} {word}", "muted" if quiet else alert.level


def _subject(alert: Alert, frame: Frame) -> Cell:
    return alert.finding.subject, _style(alert, alert.level if alert.level != "idle" else "text")


def _since(alert: Alert, frame: Frame) -> Cell:
    since = alert.finding.since
    return numbers.NOTHING if since is None else (units.age(since, frame.now), "muted")


def _text(alert: Alert, frame: Frame) -> Cell:
    return alert.finding.text, _style(alert, "text")


def _next_step(alert: Alert, frame: Frame) -> Cell:
    return alert.finding.next_step, _style(alert, "accent")


def _style(alert: Alert, otherwise: str) -> str:
    return "muted" if alert.acknowledged else otherwise


FINDINGS: Final[tuple[Column[Alert], ...]] = (
    Column("severity", "Severity", 14, _severity, sort_key="severity"),
    Column("since", "For", 9, _since, 3, ticks=lambda _: True, sort_key="since"),
    Column("subject", "Subject", 20, _subject, grow=1, sort_key="subject"),
    Column("text", "Problem", 70, _text, grow=3, sort_key="text"),
    Column("next_step", "Next step", 40, _next_step, 4, grow=1),
    Column("code", "Code", 24, lambda alert, _: (alert.finding.code, "muted"), 5, sort_key="code"),
)

FINDING_KEYS: Final[Mapping[str, Callable[[Alert], Any]]] = {
    "severity": lambda alert: (alert.acknowledged, SEVERITY_ORDER[alert.finding.severity]),
    "since": lambda alert: alert.finding.since,
    "subject": lambda alert: alert.finding.subject,
    "text": lambda alert: alert.finding.text,
    "code": lambda alert: alert.finding.code,
}
