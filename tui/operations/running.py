"""The operations of this session that are running or have just ended."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ...cluster.session import RunningOperation
    from ...model.operations.outcome import Outcome


STAYS: Final = 15.0
"""Seconds that the line stays after the end; it is in the log for good."""


BRIEFLY: Final = 4.0
"""Seconds that it stays while there is more to tell."""


AT_LEAST: Final = 1.5
"""Seconds for which no key takes the line away: a person may be typing on."""


class RunningOperations:
    """The acts of this session that the screen tells of: those under way, and how others ended.

    How an act ended is told until it was seen: time counts from when it is first on the screen, and
    what ends meanwhile waits for its turn.
    """

    def __init__(self) -> None:
        self.under_way: list[RunningOperation] = []
        self._newest: RunningOperation | None = None
        self._ended: deque[tuple[RunningOperation, Outcome]] = deque()
        self._seen_at: float | None = None
        """When the first of those that ended came on the screen."""

    def begin(self, act: RunningOperation) -> None:
        """Tell of an act from now on."""
        self.under_way.append(act)
        self._newest = act
        if self._seen_at is not None:
            self._next()

    def end(self, act: RunningOperation, outcome: Outcome) -> None:
        """Tell how an act ended, for a while."""
        self.under_way.remove(act)
        self._ended.append((act, outcome))

    def key_pressed(self, now: float) -> None:
        """Take a line away that was there long enough to be read."""
        if self._seen_at is not None and now - self._seen_at >= AT_LEAST:
            self._next()

    @property
    def last(self) -> Outcome | None:
        """How an act ended, while that is told of."""
        return self._ended[0][1] if self._ended else None

    @property
    def latest(self) -> Outcome | None:
        """What is told of: how an act ended, else how far the newest under way is."""
        if self._ended:
            return self._ended[0][1]
        return self.under_way[-1].outcome if self.under_way else None

    @property
    def told_of(self) -> RunningOperation | None:
        """The act whose details are asked for: the one that is told of, else the newest."""
        if self._ended:
            return self._ended[0][0]
        return self.under_way[-1] if self.under_way else self._newest

    def shown(self, now: float) -> Outcome | None:
        """Return what the line tells of at a time, now that it is on the screen."""
        others = len(self._ended) > 1 or self.under_way
        stays = BRIEFLY if others else STAYS
        if self._seen_at is not None and not 0 <= now - self._seen_at < stays:
            self._next()
        if self._ended and self._seen_at is None:
            self._seen_at = now
        return self.latest

    def _next(self) -> None:
        self._ended.popleft()
        self._seen_at = None
