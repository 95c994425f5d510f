"""The steps of an examination of the cluster, from the connection to the configuration.

Each step needs those before it. What a running cluster shows is derived here from the model; the
steps of the connection are made where the connection is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from ..entities.fault import Fault
from ..entities.schedule import SOURCE_NAMES
from ..entities.worker import Worker
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted, named
from .finding import Finding
from .findings import findings
from .tasks.schedule_status import entry_statuses

StepStatus: TypeAlias = Literal["ok", "warning", "failed", "not checked"]


class StepKind(NamedTuple):
    """The subject of a step."""

    name: str
    """Stable, for scripts."""
    title: str


class Step(msgspec.Struct, frozen=True):
    """The result of one step."""

    kind: StepKind
    status: StepStatus
    text: str = ""
    """What was found, without a full stop. It may contain text from the cluster."""
    next_step: str = ""
    """What to do about it: a sentence without its full stop."""
    findings: tuple[Finding, ...] = ()
    """The findings behind a warning or failure."""
    details: tuple[str, ...] = ()
    """Further lines, such as the end of a traceback."""

    @classmethod
    def failed(cls, kind: StepKind, fault: Fault) -> Step:
        """Return a step that failed by a fault."""
        return cls(kind, "failed", fault.problem, fault.advice)

    @property
    def is_passed(self) -> bool:
        """Whether the steps that need this one can be made."""
        return self.status in ("ok", "warning")

    @property
    def is_left_out(self) -> bool:
        """Whether it was not made because an earlier step failed."""
        return self.status == "not checked" and not self.text


BROKER: Final = StepKind("broker", "Broker")
WORKERS: Final = StepKind("workers", "Workers")
EVENTS: Final = StepKind("events", "Events")
QUEUES: Final = StepKind("queues", "Queues")
TASKS: Final = StepKind("tasks", "Tasks")
RESULTS: Final = StepKind("results", "Result backend")
BEAT: Final = StepKind("beat", "Beat")
CLOCKS: Final = StepKind("clocks", "Clocks")
ADVICE: Final = StepKind("advice", "Advice")
CLUSTER_STEPS: Final = (BROKER, WORKERS, EVENTS, QUEUES, TASKS, RESULTS, BEAT, CLOCKS)

CLOCK_CODES: Final = ("worker-clock-skew", "local-clock-skew")
EVENT_CODES: Final = ("workers-events-off", "workers-without-events")


MIN_LATENCY: Final = 0.001
"""Seconds, the smallest latency that is shown: broker and network take some time in any case."""


def kind_of(finding: Finding) -> StepKind:
    """Return the step that reports a finding."""
    if finding.code in CLOCK_CODES:
        return CLOCKS
    if finding.code in EVENT_CODES:
        return EVENTS
    kinds: dict[str, StepKind] = {
        "broker": BROKER, "events": EVENTS, "workers": WORKERS, "worker": WORKERS,
        "queues": QUEUES, "queue": QUEUES, "results": RESULTS,
        "beat": BEAT, "schedule": BEAT,
    }  # fmt: skip
    return kinds.get(finding.kind, TASKS)


def cluster_steps(
    state: ClusterState, now: float, results: Step, *, deep: bool = False
) -> Iterator[Step]:
    """Yield the steps that follow from the model, once workers and queues have replied.

    Args:
        state: The model.
        now: The time in epoch seconds.
        results: The step of the result backend, which was asked already.
        deep: Whether to add advice: findings that are only information.
    """
    found = [one for one in findings(state, now) if one.code != "broker-unverified"]
    for kind, own in (
        (BROKER, _broker(state)),
        (WORKERS, _workers(state, now)),
        (EVENTS, _events(state, now)),
        (QUEUES, _queues(state)),
        (TASKS, _tasks(state, now)),
        (RESULTS, results),
        (BEAT, _beat(state, now)),
        (CLOCKS, _clocks(state)),
    ):
        yield _with_findings(
            own, [one for one in found if kind_of(one) == kind and one.severity != "info"]
        )
    if deep:
        yield _advice(tuple(one for one in found if one.severity == "info"))


def _with_findings(step: Step, found: list[Finding]) -> Step:
    """Return a step with its findings, the worst of which decides its status."""
    if not found:
        return step
    failed = step.status == "failed" or any(one.severity == "error" for one in found)
    # The next step of a finding is more specific than the general advice.
    advised = any(one.next_step for one in found)
    return msgspec.structs.replace(
        step,
        status="failed" if failed else "warning",
        next_step="" if advised else step.next_step,
        findings=tuple(found),
    )


def _broker(state: ClusterState) -> Step:
    memory, latency = state.broker.memory, state.broker.latency
    facts = (
        [] if latency is None else [f"replies within {units.duration(max(latency, MIN_LATENCY))}"]
    )
    if memory is not None:
        most = "no limit" if memory.maximum is None else f"limit {units.size(memory.maximum)}"
        facts.append(f"{units.size(memory.used)} of memory used, {most}")
    return Step(BROKER, "ok", "; ".join(facts) or "accepts messages")


def _workers(state: ClusterState, now: float) -> Step:
    names = state.present_workers(now)
    if not names and state.broker.phase == "blocked":
        return Step(
            WORKERS, "not checked", "workers cannot reply while the broker takes no messages"
        )
    if not names:
        return Step(
            WORKERS,
            "failed",
            "no worker replied",
            "Start a worker, and check that its broker URL, key prefix and control exchange are "
            "those used here",
        )
    versions = sorted({state.workers[name].software_version or "" for name in names} - {""})
    text = f"{counted(len(names), 'worker')} online: {named(names)}"
    return Step(WORKERS, "ok", text + (f"; Celery {named(versions)}" if versions else ""))


def _events(state: ClusterState, now: float) -> Step:
    names = state.present_workers(now)
    if not names:
        return Step(EVENTS, "not checked", "no worker could send events")
    # A worker whose clock is known has sent a heartbeat, be it on request.
    beating = [name for name in names if state.workers[name].clock_skew is not None]
    text = f"heartbeats received from {len(beating):,} of {counted(len(names), 'worker')}"
    if len(beating) < len(names):
        return Step(
            EVENTS,
            "warning",
            text,
            "Check that event_exchange and the key prefix are those of the workers, and that they "
            "were not started with --without-heartbeat and --without-gossip",
        )
    return Step(EVENTS, "ok", f"{text}; {_task_events(names, state)}")


def _task_events(names: Sequence[str], state: ClusterState) -> str:
    """Return which workers send task events; only enabling them would show it for certain."""
    on = [name for name in names if _sends_task_events(state.workers[name])]
    if len(on) == len(names):
        return "task events are on"
    others = [name for name in names if name not in on]
    return f"no task event received from {named(others)}: they are off unless started with -E"


def _sends_task_events(worker: Worker) -> bool:
    if worker.events_enabled is not None:
        return worker.events_enabled
    return bool((worker.conf or {}).get("worker_send_task_events"))


def _queues(state: ClusterState) -> Step:
    queues = state.queues.values()
    waiting = sum(queue.waiting or 0 for queue in queues)
    unknown = [queue.name for queue in queues if queue.waiting is None]
    text = f"{counted(len(queues), 'queue')}, {counted(waiting, 'message')} waiting"
    if not unknown:
        return Step(QUEUES, "ok", text)
    reason = next((queue.notes[0] for queue in queues if queue.waiting is None and queue.notes), "")
    return Step(
        QUEUES, "warning", f"{text}; depth unknown of {named(unknown)}" + (reason and f": {reason}")
    )


def _tasks(state: ClusterState, now: float) -> Step:
    names = state.present_workers(now)
    if not names:
        return Step(TASKS, "not checked", "no worker has reported its tasks")
    ids: set[str] = set()
    for name in names:
        worker = state.workers[name]
        ids.update(worker.active_ids, worker.reserved_ids or (), worker.scheduled_ids or ())
    if not ids:
        return Step(TASKS, "ok", "no tasks in workers")
    types = {task.name for id_ in ids if (task := state.tasks.get(id_)) is not None} - {None}
    text = f"{counted(len(ids), 'task')} of {counted(len(types), 'type')} running or waiting"
    return Step(TASKS, "ok", f"{text} in workers")


def _beat(state: ClusterState, now: float) -> Step:
    statuses = entry_statuses(state, now)
    if not statuses:
        if not state.present_workers(now):
            return Step(BEAT, "not checked", "no worker has reported a schedule")
        return Step(BEAT, "ok", "no periodic tasks were found")
    sources = sorted({SOURCE_NAMES[one.entry.source] for one in statuses})
    latest = max((one.last_run_at or 0.0 for one in statuses), default=0.0)
    sent = f"latest known run {units.ago(latest, now)}" if latest else "no run was observed"
    text = f"{counted(len(statuses), 'periodic task')} ({named(sources)}); {sent}"
    return Step(BEAT, "ok", text)


def _clocks(state: ClusterState) -> Step:
    skews = {
        name: worker.clock_skew
        for name, worker in state.workers.items()
        if worker.clock_skew is not None
    }
    if not skews:
        return Step(CLOCKS, "not checked", "no worker has sent a heartbeat")
    largest = max(map(abs, skews.values()))
    return Step(CLOCKS, "ok", f"the clocks of the workers differ by at most {_clock(largest)}")


def _clock(seconds: float) -> str:
    """Return a difference of clocks, of which the latency of the network is a part."""
    return "0.1 s" if seconds < 0.1 else units.duration(seconds)


def _advice(found: tuple[Finding, ...]) -> Step:
    if not found:
        return Step(ADVICE, "ok", "nothing to improve was found")
    return Step(ADVICE, "ok", counted(len(found), "suggestion"), findings=found)
