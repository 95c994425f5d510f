"""When to paint: at most so many times per second on average, and only after a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_FRAME_CHARACTERS: Final = 6_000
"""What a frame may send at the full rate. After more than four larger frames in a row the rate
drops in proportion: a screen that is new each time cannot be read, and a slow line cannot carry it.
Four are allowed for the start: a new screen, its layout, the connection, and the first data."""
MAX_FRAME_SECONDS: Final = 0.012
"""CPU-seconds that a frame may take at the full rate, with its drawing. After three frames in a row
that take more, as those of a thousand workers do, the rate drops in proportion."""
MAX_PAUSE: Final = 1.0
"""Seconds between two frames, at most, while there are changes."""
MIN_PAUSE: Final = 0.05
"""Seconds between two frames, at least. A change just after a frame of the clock or of a heartbeat
need not wait for a whole period if the frame before came early enough."""


@dataclass(slots=True)
class FramePacer:
    """Decides when a frame is due. `clock` values are monotonic seconds."""

    per_second: float = 4.0
    wanted: bool = True
    """Whether something has changed since the last frame."""
    painted_at: float = -1.0e9
    painted_before: float = -1.0e9
    """When the frame before that was painted."""
    characters: int = 0
    """Characters sent to the terminal since the last frame."""
    characters_before: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Characters sent after each of the four frames before, newest first."""
    costs: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """CPU-seconds that each of the last three frames took, newest first."""
    drawn: bool = False
    """Whether the latest frame has been drawn; what keys change is drawn between frames."""

    def sent(self, characters: int) -> None:
        """Count characters sent to the terminal."""
        self.characters += characters

    def second_began(self) -> None:
        """Request a frame for times and ages, unless such frames are too frequent."""
        self.wanted = self.wanted or self.per_second >= 1.0

    def due(self, clock: float) -> bool:
        """Return whether to paint now; without changes, once a second for times and ages."""
        if not self.wanted:
            return clock - self.painted_at >= max(1.0, 1 / self.per_second)
        return clock >= self.next_at

    @property
    def next_at(self) -> float:
        """When a change is painted at the earliest, in monotonic seconds."""
        period = 1 / self.per_second
        share = max(
            min(self.characters, *self.characters_before) / MAX_FRAME_CHARACTERS,
            min(self.costs) / MAX_FRAME_SECONDS,
        )
        at = self.painted_at + max(period, min(MAX_PAUSE, period * share))
        if share <= 1:
            early = max(self.painted_at + MIN_PAUSE, self.painted_before + 2 * period)
            return min(at, early)
        return at

    def painted(self, clock: float) -> None:
        """Count a frame."""
        self.painted_at, self.painted_before = clock, self.painted_at
        self.wanted = self.drawn = False
        self.characters_before = (self.characters, *self.characters_before[:3])
        self.characters = 0

    def took(self, seconds: float) -> None:
        """Record the CPU time that the latest frame took until its widgets were up to date."""
        self.costs = (seconds, *self.costs[:2])

    def drew(self, seconds: float) -> None:
        """Record the CPU time that Textual took to lay out and draw what has changed."""
        if not self.drawn:
            self.drawn = True
            self.costs = (self.costs[0] + seconds, *self.costs[1:])
