"""Alerts in words. Texts may come from tasks, so all characters in them are made printable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..model.text.phrases import counted
from ..model.text.sanitize import visible
from .tracker import Alert, Raised

MAX_LENGTH: Final = 200
"""Characters of a summary."""


def summary(alert: Alert) -> str:
    """Return an alert in one line, such as `queue mails: no consumers`."""
    finding = alert.finding
    return visible(f"{finding.subject}: {finding.text}", MAX_LENGTH)


def news(raised: Sequence[Raised]) -> str:
    """Return alerts in one line; several are counted after the first one."""
    first, *others = raised
    text = summary(first.alert)
    if first.change == "resolved":
        text = f"Resolved: {text}"
    return f"{text} (and {counted(len(others), 'other alert')})" if others else text


def title(name: str, active: Sequence[Alert]) -> str:
    """Return the title of the terminal's window."""
    return f"({len(active)}) {name}: {summary(active[0])}" if active else name
