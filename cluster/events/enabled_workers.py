"""Remembers the workers whose task events celtop has enabled, for the celtop that exits last.

A worker with task events looks the same whoever enabled them. The file outlives a crash, so that
the next celtop disables what an earlier one left enabled.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from ...files.files import OWNER_ONLY, replace_file, state_folder
from ...files.state_file import read_state

FILE_NAME: Final = "task-events.json"
MAX_AGE: Final = 7 * 86_400.0
"""Seconds for which an absent worker is remembered: one that restarts sends no task events."""

_Clusters: TypeAlias = dict[str, dict[str, float]]
"""When the task events of each worker were enabled, in epoch seconds, by cluster."""


class EnabledWorkers:
    """The file of workers whose task events celtop has enabled; shared by all its processes."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder() / FILE_NAME

    def all(self, cluster: str) -> dict[str, float]:
        """Return the workers of a cluster, with the time; empty if the file cannot be read."""
        return self._read().get(cluster, {})

    def add(self, cluster: str, worker: str, now: float) -> None:
        """Remember a worker.

        Raises:
            OSError: The file cannot be written.
        """
        with self._locked():
            clusters = self._read()
            clusters.setdefault(cluster, {})[worker] = now
            self._write(clusters, now)

    def forget(self, cluster: str, workers: Collection[str]) -> None:
        """Forget workers: their task events are disabled, or are meant to stay enabled.

        Raises:
            OSError: The file cannot be written.
        """
        if self.all(cluster).keys().isdisjoint(workers):
            return
        with self._locked():
            clusters = self._read()
            kept = clusters.get(cluster, {}).items()
            clusters[cluster] = {name: at for name, at in kept if name not in workers}
            self._write(clusters, time.time())

    def _read(self) -> _Clusters:
        return read_state(self.path, _Clusters) or {}

    def _write(self, clusters: _Clusters, now: float) -> None:
        recent = {
            cluster: {name: at for name, at in workers.items() if now - at < MAX_AGE}
            for cluster, workers in clusters.items()
        }
        content = msgspec.json.encode({name: its for name, its in recent.items() if its})
        replace_file(self.path, msgspec.json.format(content, indent=2) + b"\n")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from changing the file meanwhile, where the system has locks."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        lock_file = os.open(self.path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, OWNER_ONLY)
        with os.fdopen(lock_file, "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
