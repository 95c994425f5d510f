"""How fast the core is while something is measured, against a reference.

A virtual machine shares its cores: the same work takes up to twice the CPU time from one minute to
the next. So a small fixed loop is timed again and again during each measurement, and CPU time is
also given as what the reference core would have needed.
"""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

REFERENCE: Final = 1.06e-3
"""CPU-seconds of the loop on the reference core. Of 500 series of 20 loops, over 20 minutes on a
machine with two virtual cores (AMD EPYC, Python 3.11), it is the lowest median of a series: the
core with nothing beside it. Half of the series had a median of 1.7 times that, or more."""
ROUNDS: Final = 6_000
INTERVAL: Final = 0.1
"""Seconds between two loops, which take 1 % of a core."""


@dataclass
class CoreSpeed:
    """The times of the loop during a measurement."""

    times: list[float] = field(default_factory=list)

    @property
    def slowness(self) -> float:
        """CPU time that work takes, as a multiple of that on the reference core."""
        return statistics.median(self.times) / REFERENCE

    def at_reference(self, value: float) -> float:
        """Return CPU time, or a share of it, as it would be on the reference core."""
        return value / self.slowness

    def note(self, value: float, unit: str = "%") -> str:
        """Return in words what a value would be on the reference core."""
        return f"{self.at_reference(value):.3g} {unit} at the reference speed"

    @property
    def details(self) -> dict[str, object]:
        """The details for the record of a reading."""
        return {"slowness": round(self.slowness, 3)}


@contextlib.contextmanager
def sampled() -> Iterator[CoreSpeed]:
    """Time the loop while the block runs, and at least once."""
    speed, enough = CoreSpeed(), threading.Event()

    def sample() -> None:
        speed.times.append(_loop())
        while not enough.wait(INTERVAL):
            speed.times.append(_loop())

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield speed
    finally:
        enough.set()
        sampler.join()


def _loop() -> float:
    """Return the CPU-seconds of work as a Python program does it: look-ups and allocations."""
    begun = time.thread_time()
    held: dict[int, object] = {}
    for number in range(ROUNDS):
        held[number & 1023] = (number, held.get(number & 511))
    return time.thread_time() - begun
