"""Findings on settings of the app that lose information."""

from __future__ import annotations

from collections.abc import Iterator

from ...entities.worker import Worker
from ...state import ClusterState
from ...text.phrases import named
from ..finding import Finding


def configuration_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on the settings that workers report, once for all workers."""
    present = [state.workers[name] for name in state.present_workers(now)]
    yield from _results([worker for worker in present if worker.conf is not None])


def _results(workers: list[Worker]) -> Iterator[Finding]:
    """Yield what is missing from results."""
    # Workers with equal settings share one copy.
    by_conf: dict[int, list[Worker]] = {}
    for worker in workers:
        by_conf.setdefault(id(worker.conf), []).append(worker)
    stored = [alike for alike in by_conf.values() if alike[0].setting("result_backend")]
    short = [
        one.name for alike in stored if not alike[0].setting("result_extended") for one in alike
    ]
    if short:
        yield Finding(
            "result-extended-off",
            "info",
            "workers",
            "result_extended is off: results have no task name, arguments, queue or worker "
            f"({named(short)})",
            next_step="Set result_extended = True to see them for tasks that finished before",
            evidence={"workers": short},
        )
    # With events, a start is reported anyway.
    unseen = [
        one.name
        for alike in stored
        if not alike[0].setting("task_track_started")
        for one in alike
        if one.events_enabled is False
    ]
    if unseen:
        yield Finding(
            "track-started-off",
            "info",
            "workers",
            "task_track_started and task events are off: running tasks are only known while they "
            f"are inspected ({named(unseen)})",
            next_step="Set task_track_started = True, or enable task events",
            evidence={"workers": unseen},
        )
