"""Finds deploys: workers that come back with other software or other registered tasks.

A deploy restarts many workers, one after the other: the first one is marked. Workers whose names
change with each start, as in containers, are compared with the one that they resemble most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ...entities.log import EventLog
from ...entities.time_series import Marks
from ...entities.worker import Worker

ROLLOUT_SECONDS: Final = 1_800.0
"""Seconds in which all workers of a deploy restart: the same change is marked once."""
MIN_SHARED: Final = 0.5
"""The part of the registered tasks that a new worker must share with a known one to be a new
version of it rather than another kind of worker."""
MAX_VERSIONS: Final = 200
"""Versions of workers that are remembered; the oldest are dropped first."""
MAX_NAMES_SHOWN: Final = 3


class Version(msgspec.Struct, frozen=True, gc=False):
    """What runs in a worker."""

    software: str | None
    """Celery's name and version, such as `py-celery 5.4.0`."""
    tasks: tuple[str, ...]
    """The names of the registered tasks, sorted."""


class Deploys:
    """Marks deploys and logs them."""

    def __init__(self, marks: Marks, log: EventLog) -> None:
        self._marks = marks
        self._log = log
        self.versions: dict[str, Version] = {}
        """The last known version of each worker, the latest to report it last."""
        self.marked: dict[Version, float] = {}
        """When each version was last reported after a change: a rollout is marked once."""

    def registered(self, worker: Worker, now: float) -> None:
        """Compare what a worker runs, now that it has listed its registered tasks."""
        if worker.registered is None:
            return
        software = None
        if worker.software_version is not None:
            software = f"{worker.software or 'celery'} {worker.software_version}"
        version = Version(software, worker.registered)
        before = self.versions.pop(worker.name, None)
        if before is None and self._has_started(worker):
            before = self._most_similar(version)
        self.versions[worker.name] = version
        if len(self.versions) > MAX_VERSIONS:
            del self.versions[next(iter(self.versions))]
        if before is None or (text := change(before, version)) == "":
            return
        if now - self.marked.pop(version, float("-inf")) >= ROLLOUT_SECONDS:
            self._marks.add(now, "deployed", worker.name, text)
            self._log.add(now, "info", "worker", f"Deploy on {worker.name}: {text}")
        self.marked[version] = now
        if len(self.marked) > MAX_VERSIONS:
            del self.marked[next(iter(self.marked))]

    def _has_started(self, worker: Worker) -> bool:
        """Return whether a worker has come since celtop has been connected."""
        return any(mark.worker == worker.name and mark.kind == "started" for mark in self._marks)

    def _most_similar(self, version: Version) -> Version | None:
        """Return the version of another worker with most tasks in common; None without one."""
        tasks = frozenset(version.tasks)
        best, most = None, 0.0
        for known in dict.fromkeys(reversed(self.versions.values())):
            if known == version:
                return known
            union = len(tasks.union(known.tasks))
            shared = len(tasks.intersection(known.tasks)) / union if union else 0.0
            if shared > most and shared >= MIN_SHARED:
                best, most = known, shared
        return best


def change(before: Version, after: Version) -> str:
    """Return how a version differs from the one before; empty if it does not."""
    parts = []
    if before.software != after.software and None not in (before.software, after.software):
        parts.append(f"{before.software} to {after.software}")
    parts += _names("added", set(after.tasks).difference(before.tasks))
    parts += _names("removed", set(before.tasks).difference(after.tasks))
    return "; ".join(parts)


def _names(what: str, names: Iterable[str]) -> Sequence[str]:
    found = sorted(names)
    if not found:
        return ()
    shown = ", ".join(found[:MAX_NAMES_SHOWN])
    more = len(found) - MAX_NAMES_SHOWN
    return (f"{what} {shown}" + (f" and {more} more" if more > 0 else ""),)
