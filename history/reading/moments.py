"""What the history has of one minute, for a frozen screen that goes back to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, cast

from ...model.entities.cluster.log import EventLog, Level, LogEntry
from ...model.health.finding import Finding, Severity, SubjectKind
from ...model.ingest.tasks.failure_groups import TREND_STEPS, FailureGroup
from ...model.stored_past import MINUTE, Stored, end_of_minute
from ...model.text import units
from ..rows import StoredFinding, StoredLog
from ..store import HistoryStore
from .failure_groups import stored_group

FAILURE_SECONDS: Final = 3_600
"""The time before, of which the groups of failures are read."""
MAX_FAILURES: Final = 500
LOG_SECONDS: Final = 86_400
"""The time before, of which the log is read."""
MAX_LOG: Final = 1_000
MICROSECONDS: Final = 1_000_000


class Moment(NamedTuple):
    """A minute as the history has it."""

    at: float
    """Its last second, epoch seconds."""
    asked_at: float
    """The last second of the minute that was asked for; if that was not recorded, this is next."""
    stored: tuple[Stored, ...]
    """The values of the cluster and all subjects."""
    failures: tuple[FailureGroup, ...]
    findings: tuple[Finding, ...]
    """Those that lasted at that time, the worst first."""
    log: EventLog
    """The lines before."""

    @property
    def counts(self) -> dict[str, int]:
        """How many tasks succeeded, failed and so on in the minute; unknown ones are missing."""
        values = next((one.values for one in self.stored if one.kind == "cluster"), {})
        return {
            name.removeprefix("n_"): round(number)
            for name, number in values.items()
            if name.startswith("n_")
        }


def read_moment(
    store: HistoryStore, cluster: str, asked_at: float, *, later: bool
) -> Moment | None:
    """Read a minute, or the one next to it that was recorded; None if there is none.

    Raises: StoreError.

    Args:
        store: The store.
        cluster: The cluster.
        asked_at: The last second of the minute, epoch seconds.
        later: Whether the next one is to be after it, rather than before it.
    """
    asked = int(asked_at // MINUTE)
    before, after = store.minutes_around(cluster, asked)
    minute = after if later and before != asked else before
    if minute is None:
        return None
    at = end_of_minute(minute * MINUTE)
    rollups = store.rollups(cluster, minute)
    start, end = at - FAILURE_SECONDS, at + 1
    failures = store.failures(cluster, start, end, TREND_STEPS, MAX_FAILURES)
    found = [
        Finding(
            row.code,
            cast("Severity", row.severity),
            cast("SubjectKind", row.subject.partition(" ")[0]),
            _text(row, at),
            row.subject.partition(" ")[2],
            row.next_step,
            {"described_at": row.described_at} if row.described_at is not None else {},
            since=row.began_at,
        )
        for row in store.findings(cluster, at, at + 1)
    ]
    order = ("error", "warning", "info")
    return Moment(
        at,
        asked_at,
        tuple(Stored(row.kind, row.name, row.values) for row in rollups),
        tuple(stored_group(row, {}, start, end) for row in failures),
        tuple(sorted(found, key=lambda one: order.index(one.severity))),
        _log(store.log(cluster, at - LOG_SECONDS, at + 1, MAX_LOG)),
    )


def _text(row: StoredFinding, at: float) -> str:
    """Return the text of a finding, with how much later than a time it is."""
    later = (row.described_at or row.began_at) - at
    return row.text if later < MINUTE else f"{row.text} (as of {units.duration(later)} later)"


def _log(rows: Iterable[StoredLog]) -> EventLog:
    """Return rows as a log. Its serial numbers are negative: no entry of a live log has them."""
    entries, serial = [], 0
    for row in rows:
        serial = min(serial - 1, -int(row.at * MICROSECONDS))
        entries.append(LogEntry(serial, row.at, cast("Level", row.level), row.source, row.text))
    return EventLog.of_entries(entries)


def recorded_since(store: HistoryStore, cluster: str) -> float | None:
    """Return the last second of the first minute of a cluster, or None. Raises: StoreError."""
    _, first = store.minutes_around(cluster, 0)
    return None if first is None else end_of_minute(first * MINUTE)
