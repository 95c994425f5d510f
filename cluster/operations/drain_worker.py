"""A worker that is being drained, as far as it has come."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, Literal

from ...model.operations.commands import Consumer
from ..events.roster import Roster

SILENT: Final = 20.0
"""Seconds without an answer or a heartbeat after which a worker is given up."""
SOLO_SILENT: Final = 600.0
"""The same for the solo pool: a worker that runs its tasks itself hears nothing meanwhile."""
DEAF: Final = 10
"""How many times as long for one whose heart beats, and which does not answer all the same."""

Stage = Literal["asked", "emptying", "leaving", "ended"]
"""`asked`: nothing was changed. `emptying`: it is to consume nothing. `leaving`: it was told to
shut down. `ended`: it has its answer."""


class DrainingWorker:
    """Where one worker stands. All times are monotonic.

    Args:
        name: The worker's.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.stage: Stage = "asked"
        self.ways: dict[str, Consumer] = {}
        """How it consumed which queues, to be put back."""
        self.verified = False
        """Whether it has said that it consumes nothing any more."""
        self.empty = 0
        """How often in a row it had nothing to do."""
        self.sent = True
        """Whether the last step is known to have gone out, if it was taken."""
        self.last_seen_at = self.told_at = time.monotonic()
        self.cancelled_at = 0.0
        """When it was last told to consume nothing."""
        self._resisted_at: float | None = None
        self._solo = False
        self._active = self._reserved = self._scheduled = 0

    def begins(self, ways: Mapping[str, Consumer], replies: Mapping[str, Any], now: float) -> None:
        """Take what it said of itself before anything is changed.

        What was known of it stays: after a lost connection some of it may be cancelled already.
        """
        self.ways = {**ways, **self.ways}
        stats = replies.get("stats")
        pool = stats.get("pool") if isinstance(stats, dict) else None
        kind = pool.get("implementation") if isinstance(pool, dict) else None
        self._solo = isinstance(kind, str) and "solo" in kind
        self._scheduled = _length(replies.get("scheduled"))
        self.last_seen_at = self.told_at = now

    def counts(self, replies: Mapping[str, Any], now: float) -> None:
        """Take what it still has to do, now that it consumes nothing."""
        self.verified = True
        self.last_seen_at = now
        if not {"active", "reserved"} <= replies.keys():
            return
        self._active = _length(replies["active"])
        self._reserved = _length(replies["reserved"])
        self.empty = self.empty + 1 if not self._active and not self._reserved else 0

    def resists(self, now: float) -> float:
        """Take that it consumes although it was told not to; return for how many seconds."""
        self.last_seen_at = now
        self._resisted_at = self._resisted_at or now
        return now - self._resisted_at

    def is_silent(self, roster: Roster) -> bool:
        """Tell whether it has been silent for too long to be waited for."""
        limit = SOLO_SILENT if self._solo else SILENT
        now = time.monotonic()
        member = roster.members.get(self.name)
        beat = member.heartbeat_at or 0.0 if member is not None else 0.0
        return now - max(self.last_seen_at, beat) > limit or now - self.last_seen_at > limit * DEAF

    @property
    def words(self) -> str:
        """What it is at: `w1@host: 3 active, 2 reserved`."""
        if self.stage == "asked":
            return f"{self.name}: no answer yet"
        if self.stage == "leaving":
            return f"{self.name}: shutting down"
        scheduled = f", {self._scheduled:,} with an ETA" if self._scheduled else ""
        return f"{self.name}: {self._active:,} active, {self._reserved:,} reserved{scheduled}"

    @property
    def back(self) -> str:
        """What goes back to its queue when it ends, in words."""
        if not self._scheduled:
            return ""
        return f"; what waited for its ETA went back to its queue ({self._scheduled:,} at first)"

    @property
    def plight(self) -> str:
        """What has to be known of a worker that is left as it is, in words."""
        if not self.ways:
            return "it consumes nothing, as before"
        queues = ", ".join(sorted(self.ways))
        return f"if it is up, it takes nothing from {queues} until each is resumed"


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0
