"""The one list of what needs attention: shown by Attention, exports and headless commands.

Each family of findings is a module of pure functions of the model and the local time. A finding is
a conclusion: it follows from answers and events, or is itself about a question that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from ..state import ClusterState
from .broker.broker import broker_findings
from .broker.events import event_findings
from .broker.questions import question_findings
from .finding import SEVERITY_ORDER, Finding
from .queues.backlogs import backlog_findings
from .queues.delayed import delayed_findings
from .queues.holding import holding_findings
from .queues.queues import queue_findings
from .queues.registrations import registration_findings
from .queues.revoked import revoked_findings
from .queues.unacked import unacked_findings
from .recorded import recorded_findings
from .tasks.beat import beat_findings
from .tasks.task_types import type_findings
from .tasks.tasks import task_findings
from .workers.configuration import configuration_findings
from .workers.crashes import crash_findings
from .workers.drift import drift_findings
from .workers.known_faults import known_fault_findings
from .workers.workers import worker_findings

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
    revoked_findings,
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
    """Return everything that needs attention at `now` (epoch seconds), the worst first.

    Nothing follows from the silence of a cluster that was read from its history: of it, these are
    the findings that were recorded.
    """
    if state.recorded is not None:
        found = list(recorded_findings(state.recorded))
    else:
        found = [finding for family in FAMILIES for finding in family(state, now)]
    return tuple(sorted(found, key=lambda finding: SEVERITY_ORDER[finding.severity]))
