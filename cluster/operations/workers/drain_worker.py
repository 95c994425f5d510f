"""The state of one worker that is being drained."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, Literal

from ....model.operations.commands import Consumer
from ...events.roster import Roster

SILENT_AFTER: Final = 20.0
"""Seconds without a reply or a heartbeat after which a worker is given up."""
SOLO_SILENT_AFTER: Final = 600.0
"""The same for the solo pool, which reads no commands while its task is running."""
HEARTBEAT_FACTOR: Final = 10
"""How many times as long to wait for replies of a worker that still sends heartbeats."""

Stage = Literal["asked", "emptying", "leaving", "ended"]
"""`asked`: nothing was changed. `emptying`: its consumers are cancelled. `leaving`: the shutdown
was sent. `ended`: it has its verdict."""


class DrainingWorker:
    """One worker that is being drained. All times are monotonic."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stage: Stage = "asked"
        self.consumers: dict[str, Consumer] = {}
        """How it consumed each queue, to be restored."""
        self.verified = False
        """Whether its reply has shown that it consumes nothing."""
        self.empty = 0
        """How many replies in a row showed no tasks."""
        self.sent = True
        """Whether the shutdown is known to be sent, if it was reached."""
        self.last_seen_at = self.stopped_at = time.monotonic()
        self.cancelled_at = 0.0
        """When its consumers were last cancelled."""
        self._still_consuming_since: float | None = None
        self._solo = False
        self._active = self._reserved = self._scheduled = 0

    def begin(
        self, consumers: Mapping[str, Consumer], replies: Mapping[str, Any], now: float
    ) -> None:
        """Apply its first replies, before anything is changed.

        Consumers that are known stay: after a lost connection some may be cancelled already.
        """
        self.consumers = {**consumers, **self.consumers}
        stats = replies.get("stats")
        pool = stats.get("pool") if isinstance(stats, dict) else None
        kind = pool.get("implementation") if isinstance(pool, dict) else None
        self._solo = isinstance(kind, str) and "solo" in kind
        self._scheduled = _length(replies.get("scheduled"))
        self.last_seen_at = self.stopped_at = now

    def update(self, replies: Mapping[str, Any], now: float) -> None:
        """Apply its replies about remaining tasks, now that it consumes nothing."""
        self.verified = True
        self.last_seen_at = now
        if not {"active", "reserved"} <= replies.keys():
            return
        self._active = _length(replies["active"])
        self._reserved = _length(replies["reserved"])
        self.empty = self.empty + 1 if not self._active and not self._reserved else 0

    def still_consuming(self, now: float) -> float:
        """Note that it still consumes, and return for how many seconds it has."""
        self.last_seen_at = now
        self._still_consuming_since = self._still_consuming_since or now
        return now - self._still_consuming_since

    def is_silent(self, roster: Roster) -> bool:
        """Return whether it has sent nothing for so long that it is given up."""
        limit = SOLO_SILENT_AFTER if self._solo else SILENT_AFTER
        now = time.monotonic()
        member = roster.members.get(self.name)
        beat = member.heartbeat_at or 0.0 if member is not None else 0.0
        silent = now - self.last_seen_at
        return now - max(self.last_seen_at, beat) > limit or silent > limit * HEARTBEAT_FACTOR

    @property
    def progress(self) -> str:
        """Its progress: `w1@host: 3 active, 2 reserved`."""
        if self.stage == "asked":
            return f"{self.name}: no reply yet"
        if self.stage == "leaving":
            return f"{self.name}: shutting down"
        scheduled = f", {self._scheduled:,} with an ETA" if self._scheduled else ""
        return f"{self.name}: {self._active:,} active, {self._reserved:,} reserved{scheduled}"

    @property
    def returned(self) -> str:
        """The tasks that returned to their queues when it shut down."""
        if not self._scheduled:
            return ""
        return (
            f"; tasks waiting for their ETA returned to their queue ({self._scheduled:,} at first)"
        )

    @property
    def remainder(self) -> str:
        """The steps that are left to the user if the drain ends here."""
        if not self.consumers:
            return "it consumes nothing, as before"
        queues = ", ".join(sorted(self.consumers))
        return f"if it is online, it does not consume {queues} until each is resumed"


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0
