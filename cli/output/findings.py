"""Findings on stderr: why the output of a headless command may be incomplete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import stderr

if TYPE_CHECKING:
    from ...model.state import ClusterState

MAX_LINES: Final = 10


def report_incomplete(state: ClusterState, now: float) -> None:
    """Report the findings that make data incomplete or outdated; those alike share a line."""
    from ...model.health.findings import findings
    from ...model.text.phrases import named, shortened

    names: dict[tuple[str, str], list[str]] = {}
    for finding in findings(state, now):
        if finding.incomplete:
            names.setdefault((finding.kind, str(finding)), []).append(finding.name)
    lines = [
        f"{kind} {named(subjects)}: {text}" if any(subjects) else f"{kind}: {text}"
        for (kind, text), subjects in names.items()
    ]
    for line in shortened(lines, MAX_LINES):
        stderr.echo_line(line)
