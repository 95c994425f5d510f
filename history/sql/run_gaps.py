"""When nothing was recorded: the times between the runs of celtops that wrote the history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..rows import Gap, Run

QUIET_INTERVAL: Final = 2.0
"""Seconds from one batch to the next while no task ends; otherwise fewer."""
MIN_GAP: Final = 2.0
"""Seconds between two runs, or since the end of the last one, that are a gap."""


def gaps_between(runs: Iterable[Run], start: float, end: float) -> list[Gap]:
    """Return the gaps of a window since the first run, oldest first; times are epoch seconds."""
    gaps: list[Gap] = []
    known = sorted(runs, key=lambda one: one.began_at)
    if not known:
        return []
    covered, killed = max(start, known[0].began_at), False
    for run in known:
        until = run.alive_at if run.ended_at is None else run.ended_at
        if until <= covered:
            continue
        # A run whose end was seen just before this one leaves nothing out.
        if run.began_at > covered and (killed or run.began_at - covered >= MIN_GAP):
            gaps.append(Gap(covered, min(run.began_at, end), killed))
        if run.began_at >= end:
            return gaps
        covered, killed = until, run.ended_at is None
    if end - covered >= (MIN_GAP if not killed else MIN_GAP + QUIET_INTERVAL):
        gaps.append(Gap(covered, end, killed))
    return gaps
