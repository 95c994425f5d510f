"""Findings on settings of the app that lose information or messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from ..entities.worker import Worker
from ..ingest.lost_tasks import VISIBILITY_TIMEOUT
from ..state import ClusterState
from ..text import units
from ..text.phrases import named
from .finding import Finding

MAX_SCHEDULED: Final = 500
"""Scheduled tasks of each worker whose ETA is compared with the visibility timeout."""


def configuration_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on the settings that workers report, once for all workers."""
    present = [state.workers[name] for name in state.present_workers(now)]
    known = [worker for worker in present if worker.conf is not None]
    if not known:
        return
    yield from _results(known)
    if state.broker.family == "redis":
        yield from _visibility_timeout(known, state, now)


def _results(workers: list[Worker]) -> Iterator[Finding]:
    """Yield what is missing from results."""
    off = [one for one in workers if one.setting("result_backend")]
    short = [one.name for one in off if not one.setting("result_extended")]
    if short:
        yield Finding(
            "result-extended-off",
            "info",
            "workers",
            f"result_extended is off on {named(short)}: results have no task name, arguments, "
            "queue or worker",
            next_step="Set result_extended = True to see them for tasks that finished before",
            evidence={"workers": short},
        )
    # With events, a start is reported anyway.
    unseen = [
        one.name
        for one in off
        if not one.setting("task_track_started") and one.events_enabled is False
    ]
    if unseen:
        yield Finding(
            "track-started-off",
            "info",
            "workers",
            f"task_track_started is off on {named(unseen)}, and their task events are off too: "
            "running tasks are only known while they are inspected",
            next_step="Set task_track_started = True, or enable task events",
            evidence={"workers": unseen},
        )


def _visibility_timeout(
    workers: list[Worker], state: ClusterState, now: float
) -> Iterator[Finding]:
    """Yield a finding if messages are redelivered while their tasks wait or run."""
    timeouts = {one.name: _timeout(one, state) for one in workers}
    shortest = min(timeouts.values())
    for kind in state.types.values():
        longest = kind.runtime.max
        if longest is None or longest <= shortest:
            continue
        late = kind.acks_late
        if late is None:
            late = any(one.setting("task_acks_late") is True for one in workers)
        if late:
            yield Finding(
                "visibility-timeout-short",
                "error",
                "type",
                f"a run took {units.duration(longest)}, longer than the visibility timeout of "
                f"{units.duration(shortest)}: with acks_late, Redis redelivers its message while "
                "it runs, and it runs twice",
                kind.name,
                "Set visibility_timeout in broker_transport_options above the longest run time",
                {"longest_s": longest, "visibility_timeout_s": shortest},
                common="longer than the visibility timeout",
            )
    for worker in workers:
        timeout = timeouts[worker.name]
        there = now + state.skew(worker.name)
        tasks = (state.tasks.get(id_) for id_ in islice(worker.scheduled_ids or (), MAX_SCHEDULED))
        longest = max(
            (task.eta_at - there for task in tasks if task is not None and task.eta_at), default=0.0
        )
        if longest > timeout:
            yield Finding(
                "eta-beyond-visibility-timeout",
                "error",
                "worker",
                f"holds a task whose ETA is in {units.duration(longest)}, longer than the "
                f"visibility timeout of {units.duration(timeout)}: Redis redelivers its message "
                "before that, and it runs several times",
                worker.name,
                "Set visibility_timeout in broker_transport_options above the longest countdown",
                {"longest_s": longest, "visibility_timeout_s": timeout},
                common="ETA beyond the visibility timeout",
            )


def _timeout(worker: Worker, state: ClusterState) -> float:
    options = worker.setting("broker_transport_options")
    own = options.get("visibility_timeout") if isinstance(options, Mapping) else None
    seconds = state.broker.transport_options.get("visibility_timeout", own)
    is_number = isinstance(seconds, int | float) and seconds > 0
    return float(seconds) if is_number else VISIBILITY_TIMEOUT  # type: ignore[arg-type]
