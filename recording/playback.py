"""The position in a recording: it moves with real time times a speed, or is moved by the user."""

from __future__ import annotations

from typing import Final

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 500.0)
MAX_LEAP: Final = 1.0
"""Real seconds by which the position moves at most at once: the screen may have been blocked."""


class Playback:
    """The position in a recording, and how it moves.

    Args:
        begin: The time of the beginning, epoch seconds.
        speed: Recorded seconds per real second.
        paused: Whether it begins paused.
    """

    def __init__(self, begin: float, speed: float = 1.0, *, paused: bool = False) -> None:
        self.begin = begin
        self.position = begin
        """The time of what the model shows, epoch seconds."""
        self.end: float | None = None
        """The time of the end; None until it is known."""
        self.speed = speed
        self.paused = paused
        self.is_over = False
        """Whether the end has been reached."""
        self.target = begin
        """The time that the model is to reach now; beyond `position` while it catches up."""
        self._advanced_at: float | None = None

    def now(self) -> float:
        """Return the position: the clock of everything that shows the recording."""
        return self.position

    @property
    def seeking(self) -> bool:
        """Whether the model has yet to catch up with a jump."""
        return self.target - self.position > 2 * MAX_LEAP * self.speed

    @property
    def target_now(self) -> float:
        """Where it is, or will be once the model has caught up with a jump."""
        return max(self.position, self.target)

    def advance(self, clock: float) -> float:
        """Move the target with real time (monotonic seconds), and return it."""
        since = 0.0 if self._advanced_at is None else clock - self._advanced_at
        self._advanced_at = clock
        # While the model is behind, real time does not count.
        if not self.paused and self.target <= self.position:
            self.target = self.position + min(since, MAX_LEAP) * self.speed
        return self.target

    def toggle(self) -> None:
        """Pause, or go on."""
        self.paused = not self.paused

    def change_speed(self, steps: int) -> None:
        """Choose one of the next `SPEEDS`."""
        slower = sum(speed < self.speed for speed in SPEEDS)
        exact = self.speed in SPEEDS
        at = slower + steps - (0 if exact or steps < 0 else 1)
        self.speed = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)]
