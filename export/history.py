"""The state of the history: `celtop history`, as JSON and text.

Names that end in `_at` are UTC times in ISO 8601, those in `_s` seconds. Fields may be added to
version 1; none is removed or renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ..model.text.sanitize import visible
from ..model.text.units import duration, percent, size

SCHEMA: Final = "celtop.history/1"
MAX_LISTED_GAPS: Final = 20
"""Gaps of a cluster that are listed as text; the latest ones."""


class GapRecord(msgspec.Struct, frozen=True, gc=False):
    """A time in which nothing was recorded."""

    began_at: str | None
    ended_at: str | None
    killed: bool
    """Whether the celtop before it was killed; otherwise none was running."""


class ClusterHistory(msgspec.Struct, frozen=True, gc=False):
    """The contents of the history for one cluster."""

    name: str
    tasks: int
    since_at: str | None
    """When its oldest stored task ended."""
    written_at: str | None
    """When its history was last written."""
    sampled_minutes: int
    """Minutes in which only a part of the successful tasks was stored, because they were many."""
    sampled_share: float | None
    """The smallest such part, 0 to 1; null if all were stored."""
    gaps: list[GapRecord]


class HistoryReport(msgspec.Struct, frozen=True, gc=False):
    """Where the history is, how large it is, and what it has."""

    schema: str
    location: str
    """The path of the file, or the URL without its password."""
    size_bytes: int | None
    max_bytes: int
    max_age_s: float
    clusters: list[ClusterHistory]


def render(report: HistoryReport) -> str:
    """Return the report as text."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: HistoryReport) -> Iterator[str]:
    yield f"location   {visible(report.location)}"
    yield f"size       {size(report.size_bytes)} of at most {size(report.max_bytes)}"
    yield f"retention  {duration(report.max_age_s)}"
    for cluster in report.clusters:
        yield ""
        yield visible(cluster.name)
        yield f"  tasks    {cluster.tasks:,}"
        yield f"  since    {cluster.since_at or '-'}"
        yield f"  written  {cluster.written_at or '-'}"
        if cluster.sampled_share is not None:
            part = percent(cluster.sampled_share)
            yield f"  sampled  {cluster.sampled_minutes:,} min, down to {part} of the successes"
        for gap in cluster.gaps[-MAX_LISTED_GAPS:]:
            why = "celtop was killed" if gap.killed else "no celtop was running"
            yield f"  gap      {gap.began_at} to {gap.ended_at}: {why}"
