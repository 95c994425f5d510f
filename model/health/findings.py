"""The one list of what needs attention: Attention, exports and headless commands are its faces.

Each family of findings is a module of pure functions of the model and the local time. A finding is
a conclusion: it follows from answers and events, or is itself about a question that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from ..state import ClusterState
from .backlogs import backlog_findings
from .beat import beat_findings
from .broker import broker_findings
from .configuration import configuration_findings
from .crashes import crash_findings
from .delayed import delayed_findings
from .drift import drift_findings
from .events import event_findings
from .finding import SEVERITY_ORDER, Finding
from .holding import holding_findings
from .known_faults import known_fault_findings
from .questions import question_findings
from .queues import queue_findings
from .registrations import registration_findings
from .task_types import type_findings
from .tasks import task_findings
from .unacked import unacked_findings
from .workers import worker_findings

__all__ = ["Finding", "findings"]

Family: TypeAlias = Callable[[ClusterState, float], Iterable[Finding]]

FAMILIES: Final[tuple[Family, ...]] = (
    broker_findings,
    question_findings,
    queue_findings,
    backlog_findings,
    delayed_findings,
    registration_findings,
    unacked_findings,
    worker_findings,
    holding_findings,
    drift_findings,
    crash_findings,
    task_findings,
    type_findings,
    event_findings,
    configuration_findings,
    known_fault_findings,
    beat_findings,
)


def findings(state: ClusterState, now: float) -> tuple[Finding, ...]:
    """Return everything that needs attention at `now` (epoch seconds), the worst first."""
    found = [finding for family in FAMILIES for finding in family(state, now)]
    return tuple(sorted(found, key=lambda finding: SEVERITY_ORDER[finding.severity]))
