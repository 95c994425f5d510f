"""The state of each step, and the findings that belong to it."""

from __future__ import annotations

import pytest
from celtop.model.entities.cluster.other_cluster import OtherCluster
from celtop.model.health.codes import CODES
from celtop.model.health.finding import Finding
from celtop.model.health.steps import (
    CLOCKS,
    CLUSTER_STEPS,
    EVENTS,
    RESULTS,
    TASKS,
    Step,
    cluster_steps,
    kind_of,
)
from celtop.model.observations import (
    InspectReply,
    LatencyMeasured,
    OtherClustersFound,
    QuestionsAnswered,
    QueueMeasured,
    ScheduleRead,
)
from celtop.model.state import ClusterState
from celtop.tests.model.schedules import entry
from celtop.tests.model.streams import NOW, WORKER

READABLE = Step(RESULTS, "ok", "results can be read")


def steps(state: ClusterState, *, deep: bool = False) -> dict[str, Step]:
    return {step.kind.name: step for step in cluster_steps(state, NOW, READABLE, deep=deep)}


def online() -> ClusterState:
    state = ClusterState()
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "mail"}], NOW))
    state.observe(ScheduleRead("app", NOW, (entry(),)))
    state.observe(QueueMeasured("mail", NOW, 3))
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.tick(NOW)
    state.workers[WORKER].clock_skew = 0.01
    return state


def test_a_healthy_cluster() -> None:
    found = steps(online(), deep=True)
    assert {step.status for step in found.values()} == {"ok"}
    assert list(found) == [*(kind.name for kind in CLUSTER_STEPS), "advice"]
    assert found["workers"].text == f"1 worker online: {WORKER}"
    events = "heartbeats received from 1 of 1 worker; "
    off = f"no task event received from {WORKER}: they are off unless started with -E"
    assert found["events"].text == events + off
    assert found["queues"].text == "1 queue, 3 messages waiting"
    assert found["beat"].text == ("1 periodic task (beat_schedule of the app); no run was observed")
    assert found["clocks"].text == "the clocks of the workers differ by at most 0.1 s"


@pytest.mark.parametrize(
    "reply",
    [
        InspectReply(WORKER, "conf", {"worker_send_task_events": True}, NOW),
        InspectReply(WORKER, "enable_events", {"ok": "task events already enabled"}, NOW),
    ],
)
def test_task_events_that_are_on(reply: InspectReply) -> None:
    state = online()
    state.observe(reply)
    assert steps(state)["events"].text.endswith("; task events are on")


def test_the_latency_is_never_zero() -> None:
    state = online()
    state.observe(LatencyMeasured(0.0001, 5))
    assert steps(state)["broker"].text == "replies within 1 ms"


def test_messages_in_queues_are_not_in_workers() -> None:
    state = online()
    waiting = {"id": "1", "name": "shop.bill", "args": "()", "kwargs": "{}"}
    state.observe(InspectReply(WORKER, "reserved", [waiting], NOW))
    assert steps(state)["tasks"].text == "1 task of 1 type running or waiting in workers"
    state.observe(InspectReply(WORKER, "reserved", [], NOW + 1))
    assert state.tasks
    assert steps(state)["tasks"].text == "no tasks in workers"


def test_a_cluster_without_workers() -> None:
    found = steps(ClusterState())
    assert (found["workers"].status, found["workers"].text) == ("failed", "no worker replied")
    assert found["workers"].next_step
    assert {found[name].status for name in ("events", "tasks", "beat", "clocks")} == {"not checked"}


def test_a_finding_replaces_the_general_advice() -> None:
    state = ClusterState()
    other = OtherCluster("events in database 0", "use database 0", workers=(WORKER,))
    state.observe(OtherClustersFound((other,), NOW))
    step = steps(state)["workers"]
    assert (step.status, step.next_step) == ("failed", "")
    assert [one.code for one in step.findings] == ["other-clusters"]


def test_missing_heartbeats_are_a_warning() -> None:
    state = online()
    state.workers[WORKER].clock_skew = None
    step = steps(state)["events"]
    assert (step.status, step.text) == ("warning", "heartbeats received from 0 of 1 worker")


def test_the_worst_finding_decides() -> None:
    state = online()
    state.observe(QueueMeasured("orphan", NOW, 50))
    state.totals.malformed = 1
    found = steps(state)
    assert (found["queues"].status, found["events"].status) == ("failed", "warning")
    assert [one.name for one in found["queues"].findings] == ["orphan"]


def test_every_code_has_a_step() -> None:
    kinds = {code: kind_of(Finding(code, "info", its.kind, "text")) for code, its in CODES.items()}
    assert kinds["worker-clock-skew"] == kinds["local-clock-skew"] == CLOCKS
    assert kinds["workers-events-off"] == EVENTS
    assert kinds["task-stuck"] == kinds["type-slow"] == TASKS
