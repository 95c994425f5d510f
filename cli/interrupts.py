"""Signals of a headless command: threads and child processes end before the command does."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn


@contextlib.contextmanager
def clean_exit() -> Iterator[None]:
    """Make SIGTERM, SIGHUP and SIGQUIT unwind the `with` statements inside, as ctrl-c does."""
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    previous = [signal.signal(number, _exit) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
