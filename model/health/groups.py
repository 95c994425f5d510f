"""Findings of one kind as one line: a hundred lost workers are one problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ..text import units
from ..text.phrases import counted, named
from .finding import Finding

MIN_GROUP: Final = 3
"""Fewer findings of one kind are listed one by one."""
_SUMS: Final[Mapping[str, str]] = {"running": "running task", "waiting": "waiting message"}
"""Numbers in the evidence that are added up, with what they count."""


def grouped(findings: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """Return the findings in their order, those of one kind together at the place of the first."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        key = (finding.code, finding.severity, finding.common) if finding.common else number
        groups.setdefault(key, []).append(finding)
    return [
        one
        for group in groups.values()
        for one in ([tuple(group)] if len(group) >= MIN_GROUP else [(each,) for each in group])
    ]


def group_text(group: Sequence[Finding], now: float) -> str:
    """Return what findings of one kind have in common, since when, which, and the next step."""
    first = group[0]
    text = first.common
    latest = max((one.since for one in group if one.since is not None), default=None)
    if latest is not None:
        text += f", the latest {units.elapsed(latest, now)} ago"
    for key, noun in _SUMS.items():
        total = sum(int(one.evidence.get(key) or 0) for one in group)
        if total:
            text += f", {counted(total, noun)}"
    text += f": {named([one.name for one in group])}"
    alike = all(one.next_step == first.next_step for one in group)
    return f"{text}. {first.next_step}" if first.next_step and alike else text
