"""The keys and commands of a replay: pause, change the speed, move the position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..recording.session import ReplaySession
    from .context import AppContext
    from .loop import FrameLoop

NOT_A_REPLAY: Final = "Only a recording can be moved in time; open one with `celtop replay FILE`"
STEP: Final = 1.0
"""Seconds of a step."""
LEAP_SHARE: Final = 0.05
"""The part of the recording that a leap skips."""
LEAP: Final = 60.0
"""Seconds that it skips until the length is known."""


class ReplayControls:
    """Moves the position of a replay, and has it painted.

    Args:
        replay: The session on the recording.
        context: What the screens share.
        loop: Paints the model at the new position.
    """

    def __init__(self, replay: ReplaySession, context: AppContext, loop: FrameLoop) -> None:
        self._replay = replay
        self._playback = replay.playback
        self._context = context
        self._loop = loop

    def pause(self) -> None:
        """Pause, or go on; from the end, begin again."""
        if self._playback.is_over:
            self.seek(self._playback.begin)
            self._playback.paused = True
        self._playback.toggle()
        self._wake()

    def change_speed(self, steps: int) -> None:
        """Choose the next higher or lower speed."""
        self._playback.change_speed(steps)
        self._wake()

    def set_speed(self, speed: float) -> None:
        """Set the speed."""
        self._playback.speed = speed
        self._wake()

    def step(self, direction: int) -> None:
        """Pause, and move by a second."""
        self._playback.paused = True
        self.seek(self._playback.target_now + direction * STEP)

    def leap(self, direction: int) -> None:
        """Move by a part of the recording."""
        playback = self._playback
        length = LEAP / LEAP_SHARE if playback.end is None else playback.end - playback.begin
        self.seek(playback.target_now + direction * max(STEP, LEAP_SHARE * length))

    def go_to_share(self, share: float) -> None:
        """Move to a part of the recording, 0.0 to 1.0, once its length is known."""
        if self._playback.end is not None:
            length = self._playback.end - self._playback.begin
            self.seek(self._playback.begin + share * length)

    def seek(self, at: float) -> None:
        """Move to a time."""
        before = self._replay.state
        self._replay.seek(at)
        if self._replay.state is not before:
            self._loop.freeze(False)  # the screen shows the new model, from its beginning
        self._wake()

    def _wake(self) -> None:
        self._loop.pacer.wanted = True
        self._replay.wake()
