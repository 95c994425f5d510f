"""The lines of the overview's Attention list: the findings, and where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ...model.health.finding import Finding, Severity, SubjectKind
from ...model.health.findings import findings
from ...model.state import ClusterState
from ..navigation import DrillDown

AlertLevel: TypeAlias = Literal["bad", "warn"]

_LEVELS: Final[dict[Severity, AlertLevel]] = {"error": "bad", "warning": "warn", "info": "warn"}

_VIEWS: Final[dict[SubjectKind, str]] = {
    "queue": "queues",
    "queues": "queues",
    "worker": "workers",
    "workers": "workers",
    "task": "tasks",
    "tasks": "tasks",
}
"""The view that a finding leads to; the log for all others."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One line of the Attention list."""

    finding: Finding

    @property
    def id(self) -> str:
        """The row's id."""
        return f"{self.finding.code} {self.finding.subject}"

    @property
    def level(self) -> AlertLevel:
        """The line's style."""
        return _LEVELS[self.finding.severity]

    @property
    def subject(self) -> str:
        """The name of the worker, queue or task, else the kind of subject."""
        return self.finding.name or self.finding.kind

    @property
    def text(self) -> str:
        """What is wrong, and the next step."""
        return str(self.finding)

    @property
    def view(self) -> str:
        """The view to open."""
        return _VIEWS.get(self.finding.kind, "log")

    @property
    def drill(self) -> DrillDown | None:
        """The step to take from there."""
        kind, name = self.finding.kind, self.finding.name
        if name and (kind == "worker" or kind == "task" or kind == "queue"):
            return DrillDown(kind, name)
        return None


def alerts(state: ClusterState, now: float) -> list[Alert]:
    """Return everything that needs attention, the worst first."""
    return [Alert(one) for one in findings(state, now) if one.severity != "info"]
