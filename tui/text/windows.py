"""The windows of time that memory covers, in words."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from ...model.entities.limits.keep import Kind
from ...model.text import units
from ..context import AppContext

MAX_LAST: Final = 3600.0
"""Seconds up to which a moving window is given by its length, and not by its start."""
_SHORT_CLOCK: Final = len("14:02")
_SHOWN: Final[dict[Kind, str]] = {"failed": "failures", "succeeded": "successes"}


def windows(context: AppContext) -> str:
    """Return `failures since 09:12 · successes last 10 s`; empty if no task was evicted."""
    state, now = context.state, context.now()
    if not state.totals.evicted:
        return ""
    found = []
    for kind, name in _SHOWN.items():
        since = state.kept_since.get(kind)
        if since is not None and 0 <= now - since < MAX_LAST:
            found.append(f"{name} last {units.duration(now - since)}")
            continue
        since = state.totals.first_event_at if since is None else since
        found.append(f"{name} since {_moment(since, now, context.utc)}")
    return f" {context.glyphs.separator} ".join(found)


def _moment(at: float | None, now: float, utc: bool) -> str:
    zone = UTC if utc else None
    if at is not None and units.date_time(at, zone)[:10] != units.date_time(now, zone)[:10]:
        return units.date_time(at, zone)[: -len(":11.250")]
    return units.clock(at, zone)[:_SHORT_CLOCK]
