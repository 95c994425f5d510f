"""When to paint: so many times a second on average, and only if there is a reason to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHARACTERS: Final = 6_000
"""What a frame may send. Of several in a row that send more, the last counts for more than one:
where the whole screen is new each time nobody can read along, and a slow line could not carry it.
Up to three are a new screen, the news that the broker answers, and what it answers."""
LONGEST_PAUSE: Final = 1.0

CLOSE: Final = 0.05
"""Seconds between two frames of which the second was saved up: what happens just after a frame of
the clock, or of a heartbeat, need not wait."""


@dataclass(slots=True)
class FramePacer:
    """The pace of painting. `clock` values are monotonic seconds."""

    per_second: float = 4.0
    wanted: bool = True
    """Whether something has changed since the last frame."""
    painted_at: float = -1.0e9
    painted_before: float = -1.0e9
    """When the frame before that was painted."""
    characters: int = 0
    """How many went to the terminal since."""
    characters_before: tuple[int, int, int] = (0, 0, 0)
    """How many had gone there after each of the three frames before, the newest first."""

    def sent(self, characters: int) -> None:
        """Note what went to the terminal."""
        self.characters += characters

    def due(self, clock: float) -> bool:
        """Tell whether to paint now: times of day and elapsed times alone ask once a second."""
        since = clock - self.painted_at
        period = 1 / self.per_second
        if not self.wanted:
            return since >= max(1.0, period)
        share = min(self.characters, *self.characters_before) / CHARACTERS
        if share <= 1 and since >= CLOSE and clock - self.painted_before >= 2 * period:
            return True
        return since >= max(period, min(LONGEST_PAUSE, period * share))

    def painted(self, clock: float) -> None:
        """Note that a frame was painted.

        Once a second frames begin on the second, or clocks on the screen would seem to stumble.
        """
        self.painted_at, self.painted_before = clock, self.painted_at
        self.wanted = False
        self.characters_before = (self.characters, *self.characters_before[:2])
        self.characters = 0
