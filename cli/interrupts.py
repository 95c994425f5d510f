"""Signals of a headless command: threads and child processes end before the command does."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
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


@contextlib.contextmanager
def stop_on_signal(stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` on ctrl-c, SIGTERM, SIGHUP and SIGQUIT: what was collected is written first.

    A second signal ends the command as in `clean_exit`.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

    def first(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, _exit)
        stop()

    previous = [signal.signal(number, first) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
