"""Finds deploys: workers that come back with other software or other registered tasks.

A deploy restarts many workers, one after the other: the first one is marked. Workers whose names
change with each start, as in containers, are compared with the one that they resemble most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ...entities.cluster.log import EventLog
from ...entities.series.time_series import Marks
from ...entities.worker import Worker
from ...entities.worker_version import WorkerVersion
from ...observations import VersionsKnown
from ...text import units

ROLLOUT_SECONDS: Final = 1_800.0
"""Seconds in which all workers of a deploy restart: the same change is marked once."""
MIN_SHARED: Final = 0.5
"""The part of the registered tasks that a new worker must share with a known one to be a new
version of it rather than another kind of worker."""
MAX_VERSIONS: Final = 200
"""Versions of workers that are remembered; the oldest are dropped first."""
MAX_NAMES_SHOWN: Final = 3


class Deploys:
    """Marks deploys and logs them."""

    def __init__(self, marks: Marks, log: EventLog) -> None:
        self._marks = marks
        self._log = log
        self.versions: dict[str, WorkerVersion] = {}
        """The last known version of each worker, the latest to report it last."""
        self.marked: dict[WorkerVersion, float] = {}
        """When each version was last reported after a change: a rollout is marked once."""
        self.version = 0
        """Counts up when a worker reports another version."""
        self._early: dict[str, tuple[Worker, float]] = {}
        """The workers that have replied before `restore`, and when."""
        self._restored: set[str] = set()
        """The workers whose version is only known from an earlier run."""
        self._unobserved: tuple[float, float] | None = None
        """The time before this run in which nothing was recorded, if anything is known before."""

    def known(self, now: float) -> VersionsKnown:
        """Return the last known versions, for the next run."""
        return VersionsKnown(dict(self.versions), now)

    def restore(self, known: VersionsKnown) -> None:
        """Compare with what an earlier run knew, also workers that have replied already."""
        early, self._early = self._early, {}
        self.versions = dict(list(known.versions.items())[-MAX_VERSIONS:])
        self._restored = set(self.versions)
        if known.unobserved_since is not None:
            self._unobserved = known.unobserved_since, known.at
        self.version += 1
        for worker, at in early.values():
            self.registered(worker, at)

    def registered(self, worker: Worker, now: float) -> None:
        """Compare what a worker runs, now that it has listed its registered tasks."""
        if worker.registered is None:
            return
        software = None
        if worker.software_version is not None:
            software = f"{worker.software or 'celery'} {worker.software_version}"
        version = WorkerVersion(software, worker.registered)
        if len(self._early) < MAX_VERSIONS:
            self._early[worker.name] = worker, now
        before = self.versions.pop(worker.name, None)
        if is_first := worker.name in self._restored:
            self._restored.remove(worker.name)
        if before is None and self._has_started(worker):
            before, is_first = self._most_similar(version), True
        self.versions[worker.name] = version
        self.version += before != version
        if len(self.versions) > MAX_VERSIONS:
            oldest = next(iter(self.versions))
            del self.versions[oldest]
            self._restored.discard(oldest)
        if before is None or (text := change(before, version)) == "":
            return
        if now - self.marked.pop(version, float("-inf")) >= ROLLOUT_SECONDS:
            text += self._when(worker, now) if is_first else ""
            self._marks.add(now, "deployed", worker.name, text)
            self._log.add(now, "info", "worker", f"Deploy on {worker.name}: {text}")
        self.marked[version] = now
        if len(self.marked) > MAX_VERSIONS:
            del self.marked[next(iter(self.marked))]

    def _has_started(self, worker: Worker) -> bool:
        """Return whether a worker has come since celtop was last connected."""
        if self._unobserved is not None and (worker.started_at or 0.0) > self._unobserved[0]:
            return True
        return any(mark.worker == worker.name and mark.kind == "started" for mark in self._marks)

    def _when(self, worker: Worker, now: float) -> str:
        """Return between what times a change happened that a worker's first reply has shown."""
        if self._unobserved is None:
            return ""
        began_at, ended_at = self._unobserved
        if (worker.started_at or began_at) > ended_at:
            return ""  # it was observed
        return f" (between {units.date_time(began_at)[:16]} and {units.date_time(ended_at)[11:16]})"

    def _most_similar(self, version: WorkerVersion) -> WorkerVersion | None:
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


def change(before: WorkerVersion, after: WorkerVersion) -> str:
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
