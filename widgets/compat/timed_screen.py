"""A screen whose drawing is timed.

It overrides the private `Screen._on_timer_update`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from .settled_screen import SettledScreen

MAX_DELAY: Final = 0.1
"""Seconds between two updates of the terminal while keys are waiting."""


class TimedScreen(SettledScreen[None], inherit_bindings=False):
    """A screen that reports the time that drawing it takes, and takes less of it under load.

    Of keys that arrive faster than their effects can be drawn, some effects are not: drawing is
    most of the work for a key.
    """

    on_drawn: Callable[[float], object] | None = None
    """Called each time after it was laid out and drawn, with the CPU-seconds that this took."""

    _drawn_at = 0.0
    """When it was last drawn, in monotonic seconds."""

    def _on_timer_update(self) -> None:
        now = time.monotonic()
        if self.settled and self.app.message_queue_size and now - self._drawn_at < MAX_DELAY:
            return  # the timer goes on
        self._drawn_at = now
        started = time.thread_time()
        super()._on_timer_update()
        if self.on_drawn is not None:
            self.on_drawn(time.thread_time() - started)
