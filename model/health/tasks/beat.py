"""Findings on beat, from what it should have sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ...entities.schedule import SOURCE_NAMES
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted, named
from ..finding import Finding
from .schedule_status import EntryStatus, entry_statuses

PERIODS: Final = 3
"""The latest periods of an entry, each of which has at least two runs if two beats are running."""
MIN_SPACING: Final = 1.0
"""Seconds between two runs below which nothing follows from how many there are."""


def beat_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield what is wrong with beat and with entries of its schedule."""
    for source, read in state.schedule.reads.items():
        if read.fault is not None:
            yield Finding(
                "schedule-unknown",
                "warning",
                "schedule",
                f"{SOURCE_NAMES[source]}: {read.fault.problem}",
                next_step=read.fault.advice,
                evidence={"source": source, "read_at": read.at},
                incomplete=True,
            )
    if not state.schedule.entries:
        return
    statuses = entry_statuses(state, now)
    overdue = [one for one in statuses if one.overdue_s is not None]
    if overdue:
        yield from _overdue(statuses, overdue, now)
    doubled = [one for one in statuses if _is_doubled(state, one, now)]
    if doubled:
        yield _twice(doubled, now)


def _overdue(
    statuses: Sequence[EntryStatus], overdue: Sequence[EntryStatus], now: float
) -> Iterator[Finding]:
    """Yield a finding on beat if it has sent nothing since, otherwise one for each entry."""
    first = min(one.next_run_at for one in overdue if one.next_run_at is not None)
    latest = max((one.last_run_at or 0.0 for one in statuses), default=0.0)
    if latest < first:
        names = [one.entry.name for one in overdue]
        be = "was" if len(names) == 1 else "were"
        last = f"; its last task was sent {units.ago(latest, now)}" if latest else ""
        yield Finding(
            "beat-dead",
            "error",
            "beat",
            f"not running: {named(names)} {be} due {units.ago(first, now)} and not sent{last}",
            next_step="Start celery beat, or check its log if it is running",
            evidence={
                "due_at": first,
                "last_sent_at": latest or None,
                "entries": names[:20],
                "overdue_s": now - first,
            },
            since=first,
        )
        return
    for one in overdue:
        yield Finding(
            "schedule-entry-overdue",
            "warning",
            "schedule",
            f"due {units.ago(one.next_run_at, now)} and not sent ({one.entry.schedule})",
            one.entry.name,
            "Check beat's log for errors of this entry; beat sends others",
            {
                "due_at": one.next_run_at,
                "last_run_at": one.last_run_at,
                "overdue_s": one.overdue_s,
                "task": one.entry.task,
            },
            since=one.next_run_at,
            common="overdue",
        )


def _is_doubled(state: ClusterState, status: EntryStatus, now: float) -> bool:
    """Return whether each of the latest periods of an entry has two runs or more."""
    spacing = status.entry.spacing
    if spacing is None or spacing < MIN_SPACING or len(status.runs) < 2 * PERIODS:
        return False
    times = [state.schedule.run_at(task) for task in status.runs]
    if now - times[-1] > 2 * spacing:
        return False
    hosts = _hosts(status)
    if hosts and len(hosts) < 2:
        return False
    # The last run ends a period: a clock's jitter must not move one across the border.
    end = times[-1] + 0.05 * spacing
    periods = Counter(int((end - at) / spacing) for at in times)
    return all(periods[number] >= 2 for number in range(PERIODS))


def _hosts(status: EntryStatus) -> tuple[str, ...]:
    """Return the hosts that sent the latest runs, if all are known (`task-sent`)."""
    latest = status.runs[-2 * PERIODS :]
    hosts = [task.extra.client for task in latest if task.extra is not None and task.extra.client]
    return tuple(sorted(set(hosts))) if len(hosts) == len(latest) else ()


def _twice(doubled: Sequence[EntryStatus], now: float) -> Finding:
    first = doubled[0]
    names = [one.entry.name for one in doubled]
    hosts = sorted({host for one in doubled for host in _hosts(one)})
    by = f" by {named(hosts)}" if hosts else ""
    more = f", and {counted(len(names) - 1, 'other entry')}" if len(names) > 1 else ""
    return Finding(
        "beat-twice",
        "error",
        "beat",
        f"running twice: {first.entry.name}{more} sent at least twice each time{by}"
        + (" (found by task name and arguments)" if first.by_name else ""),
        next_step="Stop one of them: only one beat may run for a schedule",
        evidence={"entries": names[:20], "hosts": hosts, "spacing_s": first.entry.spacing},
    )
