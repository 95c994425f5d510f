"""When to paint: at most so many times a second, and only if there is a reason to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Frames:
    """The pace of painting. `clock` values are monotonic seconds."""

    per_second: float = 4.0
    wanted: bool = True
    """Whether something has changed since the last frame."""
    painted_at: float = -1.0e9

    def due(self, clock: float) -> bool:
        """Tell whether to paint now: times of day and elapsed times alone ask once a second."""
        since = clock - self.painted_at
        return since >= (1 / self.per_second if self.wanted else max(1.0, 1 / self.per_second))

    def painted(self, clock: float) -> None:
        """Note that a frame was painted.

        Once a second frames begin on the second, or clocks on the screen would seem to stumble.
        """
        self.painted_at = clock
        self.wanted = False
