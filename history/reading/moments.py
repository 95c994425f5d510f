"""What the history has of one minute, for a frozen screen that goes back to it."""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from ...model.health.finding import Finding, Severity, SubjectKind
from ...model.ingest.tasks.failure_groups import TREND_STEPS, FailureGroup
from ...model.stored_past import MINUTE, Stored
from ..store import HistoryStore
from .failure_groups import stored_group

FAILURE_SECONDS: Final = 3_600
"""The time before, of which the groups of failures are read."""
MAX_FAILURES: Final = 500


class Moment(NamedTuple):
    """A minute as the history has it."""

    at: float
    """Its last second, epoch seconds."""
    stored: tuple[Stored, ...]
    """The values of the cluster and all subjects; empty if nothing was recorded."""
    failures: tuple[FailureGroup, ...]
    findings: tuple[Finding, ...]
    """Those that lasted at that time, the worst first."""

    @property
    def counts(self) -> dict[str, int]:
        """How many tasks succeeded, failed and so on in the minute; unknown ones are missing."""
        values = next((one.values for one in self.stored if one.kind == "cluster"), {})
        return {
            name.removeprefix("n_"): round(number)
            for name, number in values.items()
            if name.startswith("n_")
        }


def read_moment(store: HistoryStore, cluster: str, at: float) -> Moment:
    """Read the minute that ends at an epoch time. Raises: StoreError."""
    rollups = store.rollups(cluster, int(at // MINUTE))
    failures = store.failures(cluster, at - FAILURE_SECONDS, at + 1, TREND_STEPS, MAX_FAILURES)
    found = [
        Finding(
            row.code,
            cast("Severity", row.severity),
            cast("SubjectKind", row.subject.partition(" ")[0]),
            row.text,
            row.subject.partition(" ")[2],
            row.next_step,
            since=row.began_at,
        )
        for row in store.findings(cluster, at, at + 1)
        if row.ended_at is not None or rollups
    ]
    order = ("error", "warning", "info")
    return Moment(
        at,
        tuple(Stored(row.kind, row.name, row.values) for row in rollups),
        tuple(stored_group(row, {}) for row in failures),
        tuple(sorted(found, key=lambda one: order.index(one.severity))),
    )
