"""Controls when Python collects garbage: rarely while a command starts, as usual later.

On the screen, a full collection is a pause for every key: over 100 ms with 2,000 queues. Python
starts one when much has been created, as by opening a page; `IdleCollector` does it when no key was
pressed for a while. If keys are pressed all the time, it does it nevertheless once enough has been
created, so that garbage has a bound.
"""

from __future__ import annotations

import gc
import time
from typing import Final

START_THRESHOLD: Final = 200_000
"""New objects after which garbage is collected during the start."""
USUAL_THRESHOLD: Final = 700
"""Python's default."""

YOUNG_OBJECTS: Final = 5_000
"""New objects after which the youngest are collected, in about a millisecond."""
YOUNG_COLLECTIONS: Final = 10
"""Collections of the youngest objects after which those that stayed are collected, too."""
NEVER: Final = 1_000_000_000

QUIET_SECONDS: Final = 2.0
"""Seconds without a key before a full collection."""
MIN_INTERVAL: Final = 60.0
"""Seconds between two full collections."""
MAX_SHARE: Final = 0.005
"""The share of the time that full collections may take."""
MIN_COLLECTIONS: Final = 10
"""Partial collections before a full one is worth it, as by default in Python."""
MAX_COLLECTIONS: Final = 100
"""Partial collections after which a full one no longer waits for a pause of the keys: at most five
million objects have stayed then."""


def put_off() -> None:
    """Collect hardly ever: starting allocates much and frees little.

    It saves a tenth of the CPU time of a command that ends soon.
    """
    gc.set_threshold(START_THRESHOLD, *gc.get_threshold()[1:])


def resume() -> None:
    """Collect as usual, in a program that keeps running."""
    gc.set_threshold(USUAL_THRESHOLD, *gc.get_threshold()[1:])


class IdleCollector:
    """Does full collections while no key is pressed, instead of Python.

    For a process that ends with its screen: the thresholds stay, and what exists now is never
    collected.
    """

    def __init__(self) -> None:
        self._due_at = 0.0
        # Modules, and what the first screens consist of: a full collection need not visit them.
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, YOUNG_COLLECTIONS, NEVER)

    def collect(self, now: float, pressed_at: float) -> bool:
        """Collect garbage if it is due; return whether it was. Call it every second.

        Args:
            now: Monotonic seconds.
            pressed_at: When the last key was pressed, monotonic seconds.
        """
        collections = gc.get_count()[2]
        if now < self._due_at or collections < MIN_COLLECTIONS:
            return False
        if now - pressed_at < QUIET_SECONDS and collections < MAX_COLLECTIONS:
            return False
        started = time.perf_counter()
        gc.collect()
        self._due_at = now + max(MIN_INTERVAL, (time.perf_counter() - started) / MAX_SHARE)
        return True
