"""The findings of a cluster that was read from its history: those that had not ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ..entities.cluster.recorded import RecordedCluster
from .finding import Finding, Severity, SubjectKind


def recorded_findings(recorded: RecordedCluster) -> Iterator[Finding]:
    """Yield the findings as the history recorded them; the evidence is when that was."""
    for one in recorded.findings:
        kind, _, name = one.subject.partition(" ")
        yield Finding(
            one.code,
            cast("Severity", one.severity),
            cast("SubjectKind", kind),
            one.text,
            name=name,
            next_step=one.next_step,
            evidence={"described_at": one.described_at} if one.described_at is not None else {},
            since=one.began_at,
        )
