"""A screen whose drawing is timed.

It overrides the private `Screen._on_timer_update`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .settled_screen import SettledScreen


class TimedScreen(SettledScreen[None], inherit_bindings=False):
    """A screen that reports the time that drawing it takes."""

    on_drawn: Callable[[float], object] | None = None
    """Called each time after it was laid out and drawn, with the CPU-seconds that this took."""

    def _on_timer_update(self) -> None:
        started = time.thread_time()
        super()._on_timer_update()
        if self.on_drawn is not None:
            self.on_drawn(time.thread_time() - started)
