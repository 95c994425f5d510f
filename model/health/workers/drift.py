"""Findings on workers of one queue that differ: version, registered tasks or settings.

A task then fails or behaves differently depending on the worker that receives it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from ...entities.queue import Queue
from ...entities.worker import Worker
from ...state import ClusterState
from ...text.phrases import counted, named
from ..finding import Finding

SETTLED: Final = 60.0
"""Seconds since the youngest worker started: a deployment replaces one worker after the other."""
MAX_DIFFERENCES: Final = 3
"""Tasks or settings that a finding names; the rest are counted."""
MAX_VALUE: Final = 40
"""Characters of a setting's value."""

_OWN: Final = frozenset({
    "include", "imports", "worker_concurrency", "worker_pool", "worker_autoscaler",
    "worker_state_db", "worker_log_format", "worker_task_log_format", "deprecated_settings",
    "worker_hijack_root_logger", "worker_max_tasks_per_child", "worker_max_memory_per_child",
})  # fmt: skip
"""Settings that may well differ between workers of one queue."""

_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")
_WORD: Final = re.compile(r"[^\s\[\](){},'\"]+")

K = TypeVar("K")


def drift_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for each queue whose consumers differ."""
    seen = set()
    for queue in state.queues.values():
        if len(queue.known_consumers) < 2 or queue.known_consumers in seen:
            continue
        # Several queues with the same consumers have the same differences.
        seen.add(queue.known_consumers)
        workers = [state.workers[name] for name in queue.known_consumers if name in state.workers]
        differences = list(_differences(workers))
        if differences and _settled(workers, now):
            yield _finding(queue, differences, workers)


def _settled(workers: Sequence[Worker], now: float) -> bool:
    uptimes = [worker.uptime_at(now) for worker in workers]
    return all(uptime is None or uptime > SETTLED for uptime in uptimes)


def _differences(workers: Sequence[Worker]) -> Iterator[str]:
    """Yield the differences in words, each with the workers on either side."""
    versions = _grouped(workers, lambda worker: worker.software_version)
    if len(versions) > 1:
        parts = [f"{version} on {named(names)}" for version, names in sorted(versions.items())]
        yield f"Celery {', '.join(parts)}"
    # Equal values of workers are identical: see `Shared`.
    if len({id(worker.registered) for worker in workers if worker.registered is not None}) > 1:
        yield from _registered(workers)
    if len({id(worker.conf) for worker in workers if worker.conf is not None}) > 1:
        yield from _settings(workers)


def _registered(workers: Sequence[Worker]) -> Iterator[str]:
    known = {one.name: frozenset(one.registered) for one in workers if one.registered is not None}
    everywhere = frozenset.intersection(*known.values())
    missing: dict[tuple[str, ...], list[str]] = {}
    for task in sorted(frozenset().union(*known.values()) - everywhere):
        without = tuple(name for name, names in known.items() if task not in names)
        missing.setdefault(without, []).append(task)
    for names, tasks in missing.items():
        yield f"{named(tasks)} not registered on {named(names)}"


def _settings(workers: Sequence[Worker]) -> Iterator[str]:
    known = [worker for worker in workers if worker.conf is not None]
    names = sorted({name for worker in known for name in worker.conf or ()} - _OWN)
    differing = []
    for name in names:
        values: dict[tuple[str, ...], list[Worker]] = {}
        for worker in known:
            values.setdefault(_words(worker.setting(name)), []).append(worker)
        if len(values) > 1:
            parts = [
                f"{_text(same[0].setting(name))} on {named([worker.name for worker in same])}"
                for same in values.values()
            ]
            differing.append(f"{name} is {', '.join(parts)}")
    yield from differing[:MAX_DIFFERENCES]
    if len(differing) > MAX_DIFFERENCES:
        yield f"{counted(len(differing) - MAX_DIFFERENCES, 'other setting')}"


def _words(value: Any) -> tuple[str, ...]:
    """Return what values of two workers are compared by.

    A set has another order in each process, and an object's repr another address.
    """
    return tuple(sorted(_WORD.findall(_ADDRESS.sub("", repr(value)))))


def _grouped(
    workers: Sequence[Worker], value: Callable[[Worker], K | None]
) -> Mapping[K, list[str]]:
    found: dict[K, list[str]] = {}
    for worker in workers:
        its = value(worker)
        if its is not None:
            found.setdefault(its, []).append(worker.name)
    return found


def _text(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def _finding(queue: Queue, differences: Sequence[str], workers: Sequence[Worker]) -> Finding:
    return Finding(
        "workers-differ",
        "warning",
        "queue",
        f"its workers differ: {'; '.join(differences)}",
        queue.name,
        "Deploy the same code and settings to all workers of the queue, or use separate queues",
        {"differences": list(differences), "workers": [worker.name for worker in workers]},
        common="workers differ",
    )
