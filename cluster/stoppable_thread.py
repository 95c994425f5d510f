"""The base of the threads that do I/O until they are stopped."""

from __future__ import annotations

import threading


class StoppableThread(threading.Thread):
    """A daemon thread whose `run` ends, or wakes up to end, after `stop`."""

    def __init__(self, name: str) -> None:
        super().__init__(name=f"celtop-{name}", daemon=True)
        self._stopping = threading.Event()
        self._woken = threading.Event()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping.set()
        self._woken.set()
