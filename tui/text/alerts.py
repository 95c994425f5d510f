"""The lines of Attention and of the Findings screen, and the pages that they open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ...model.health.finding import Finding, SubjectKind
from ...model.health.groups import group_text, grouped
from ...model.health.newness import is_pressing
from ...model.text.phrases import counted, short_id
from ..navigation import DrillDown, FilteredView

AlertLevel: TypeAlias = Literal["bad", "warn", "idle"]

_VIEWS: Final[dict[SubjectKind, str]] = {
    "queue": "queues",
    "queues": "queues",
    "worker": "workers",
    "workers": "workers",
    "task": "tasks",
    "tasks": "tasks",
    "type": "types",
    "beat": "schedule",
    "schedule": "schedule",
}
"""The view that a finding leads to; the findings for all others."""

_FILTERS: Final[dict[str, str]] = {
    "worker-lost": "offline",
    "worker-offline": "offline",
    "worker-late": "late",
    "worker-stalled": "stalled",
    "task-stuck": "state:running runtime:>1m",
    "queue-paused": "paused",
    "queue-without-consumers": '"no consumers"',
}
"""The filter that lists the subjects of all findings of a code."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One line of the Attention list."""

    group: tuple[Finding, ...]
    """The findings, all of one kind."""
    level: AlertLevel
    """The line's style: `bad` if it is an error that is new or growing, `idle` if it is
    acknowledged or only a note."""
    text: str
    """The problem and the next step."""
    acknowledged: bool = False

    @property
    def finding(self) -> Finding:
        """The first of the findings."""
        return self.group[0]

    @property
    def id(self) -> str:
        """The row's id."""
        finding = self.finding
        if len(self.group) > 1:
            return f"{finding.code} {finding.common}"
        return f"{finding.code} {finding.subject} {finding.common}"

    @property
    def subject(self) -> str:
        """The name of the worker, queue or task, their number, else the kind of subject."""
        if len(self.group) > 1:
            return counted(len(self.group), self.finding.kind)
        if self.finding.kind == "task":
            return short_id(self.finding.name)
        return self.finding.name or self.finding.kind

    @property
    def target(self) -> DrillDown | FilteredView:
        """The page or list that the line opens."""
        kind, name = self.finding.kind, self.finding.name
        view = _VIEWS.get(kind)
        grouped = len(self.group) > 1
        if view is None or (grouped and self.finding.code not in _FILTERS):
            return FilteredView("findings", self.finding.code)
        if grouped:
            return FilteredView(view, _FILTERS[self.finding.code])
        if name and (kind == "worker" or kind == "task" or kind == "queue" or kind == "type"):
            return DrillDown(kind, name, self.subject if kind == "task" else "")
        return FilteredView(view)


def alerts(
    findings: Iterable[Finding], now: float, quiets: Callable[[Finding], bool] = lambda _: False
) -> list[Alert]:
    """Return the lines of what needs attention, the worst first.

    Args:
        findings: All findings, the worst first.
        now: The time, epoch seconds.
        quiets: Returns whether a finding is acknowledged; those are left out.
    """
    shown = [one for one in findings if one.severity != "info" and not quiets(one)]
    found = [
        Alert(
            group,
            _level(group, now),
            str(group[0]) if len(group) == 1 else group_text(group, now),
        )
        for group in grouped(shown)
    ]
    return sorted(found, key=lambda alert: alert.level != "bad")


def each_alert(
    findings: Iterable[Finding], now: float, quiets: Callable[[Finding], bool]
) -> list[Alert]:
    """Return a line for each finding, also for those that are acknowledged."""
    found = []
    for finding in findings:
        acknowledged = quiets(finding)
        quiet = acknowledged or finding.severity == "info"
        level = "idle" if quiet else _level((finding,), now)
        found.append(Alert((finding,), level, str(finding), acknowledged))
    return found


def _level(group: Iterable[Finding], now: float) -> AlertLevel:
    return "bad" if any(is_pressing(one, now) for one in group) else "warn"
