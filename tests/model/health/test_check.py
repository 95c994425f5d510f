"""Limits on queues, workers and failures, and what is unknown."""

from __future__ import annotations

import pytest
from celtop.model.entities.fault import Fault
from celtop.model.health.check import CheckLimits, CheckResult, check
from celtop.model.health.message_marks import AgeBounds
from celtop.model.health.steps import BROKER, RESULTS, WORKERS, Step, cluster_steps
from celtop.model.observations import (
    ConnectionChanged,
    InspectReply,
    QuestionsAnswered,
    QuestionsFailed,
    QueueHead,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER


def one(state: ClusterState, limits: CheckLimits, **given: float) -> CheckResult:
    (result,) = check(state, limits, NOW, silent_workers=int(given.get("silent", 0)), window=10.0)
    return result


def measured(waiting: int | None, *heads: QueueHead) -> ClusterState:
    state = ClusterState()
    state.observe(QueueMeasured("mail", NOW, waiting, heads=heads))
    return state


@pytest.mark.parametrize(
    ("waiting", "most", "status"), [(50, 10, "failed"), (10, 10, "ok"), (0, 0, "ok")]
)
def test_waiting_messages(waiting: int, most: int, status: str) -> None:
    result = one(measured(waiting), CheckLimits(max_waiting={"mail": most}))
    assert (result.status, result.value, result.limit) == (status, waiting, most)


def test_a_queue_that_the_broker_does_not_have_is_unknown() -> None:
    result = one(ClusterState(), CheckLimits(max_waiting={"mail": 10}))
    assert (result.status, result.value) == ("unknown", None)
    assert "no queue of this name" in result.text


def test_the_reason_for_an_unknown_depth() -> None:
    state = ClusterState()
    fault = Fault("acl", "the user lacks a permission", "Grant it")
    state.observe(QuestionsFailed("cluster", ("depths",), NOW, fault))
    result = one(state, CheckLimits(max_waiting={"mail": 10}))
    assert result.text.endswith("the user lacks a permission")


def test_the_age_of_the_oldest_message() -> None:
    limits = CheckLimits(max_age={"mail": 60.0})
    assert one(measured(0), limits).status == "ok"
    old = one(measured(1, QueueHead("1", sent_at=NOW - 90)), limits)
    assert (old.status, old.value) == ("failed", 90.0)
    assert one(measured(1, QueueHead("1", sent_at=NOW - 30)), limits).status == "ok"
    unknown = one(measured(1, QueueHead("1")), limits)
    assert (unknown.status, unknown.value) == ("unknown", None)
    assert "the age of the oldest message is unknown" in unknown.text


def test_an_age_of_which_only_the_minimum_is_known() -> None:
    state = measured(1, QueueHead("1"))
    state.observe(QueueMeasured("mail", NOW + 90, 1, heads=(QueueHead("1"),)))
    result = one(state, CheckLimits(max_age={"mail": 60.0}))
    assert (result.status, result.text) == (
        "failed",
        "oldest message waiting for at least 1 m 30 s (limit: 1 m)",
    )


@pytest.mark.parametrize(
    ("bounds", "status", "text"),
    [
        (AgeBounds(70.0), "failed", "oldest message waiting for at least 1 m 10 s (limit: 1 m)"),
        (AgeBounds(5.0, 30.0), "ok", "oldest message waiting for less than 30 s (limit: 1 m)"),
        (AgeBounds(5.0, 90.0), "unknown", "1 message waiting, but the age of the oldest message"),
    ],
)
def test_an_age_within_bounds_from_earlier_checks(
    bounds: AgeBounds, status: str, text: str
) -> None:
    limits = CheckLimits(max_age={"mail": 60.0})
    (result,) = check(measured(1, QueueHead("1")), limits, NOW, ages={"mail": bounds})
    assert result.status == status
    assert result.text.startswith(text)


def test_a_message_that_is_not_due_yet_has_no_age() -> None:
    state = measured(2, QueueHead("1", sent_at=NOW - 90))
    queue = state.queues["mail"]
    queue.due_at = NOW + 60
    limits = CheckLimits(max_age={"mail": 60.0})
    later = one(state, limits)
    assert (later.status, later.value) == ("ok", 0.0)
    queue.runnable_age = 70.0
    result = one(state, limits)
    assert (result.status, result.text) == (
        "failed",
        "first message that may run waiting for 1 m 10 s (limit: 1 m)",
    )


def online(*, events: bool | None = None) -> ClusterState:
    state = ClusterState()
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "mail"}], NOW))
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.tick(NOW)
    state.workers[WORKER].events_enabled = events
    return state


def test_the_number_of_workers() -> None:
    assert one(online(), CheckLimits(min_workers=1)).status == "ok"
    missing = one(online(), CheckLimits(min_workers=2))
    assert (missing.status, missing.value, missing.limit) == ("failed", 1, 2)
    assert missing.next_step
    busy = one(online(), CheckLimits(min_workers=2), silent=1)
    assert (busy.status, busy.value) == ("ok", 2)
    assert "possibly busy in a solo pool" in busy.text


def test_workers_are_unknown_while_the_broker_takes_no_messages() -> None:
    state = ClusterState()
    fault = Fault("memory", "the broker is out of memory", "Free memory")
    state.observe(ConnectionChanged("blocked", NOW, fault, None, "amqp://h", "amqp", None))
    result = one(state, CheckLimits(min_workers=1))
    assert (result.status, result.value) == ("unknown", None)
    assert result.text.endswith("the broker is out of memory")
    results = Step(RESULTS, "ok")
    statuses = {step.kind: step.status for step in cluster_steps(state, NOW, results)}
    assert (statuses[WORKERS], statuses[BROKER]) == ("not checked", "failed")


def test_the_failure_rate() -> None:
    limits = CheckLimits(max_failure_rate=5.0)
    assert one(ClusterState(), limits).status == "unknown"
    unobserved = one(online(), limits)
    assert unobserved.status == "unknown"
    assert WORKER in unobserved.text
    state = online(events=True)
    idle = one(state, limits)
    assert (idle.status, idle.text) == ("ok", "no task finished in 10 s (limit: 5 %)")
    state.totals.succeeded, state.totals.failed = 90, 10
    failing = one(state, limits)
    assert (failing.status, failing.value) == ("failed", 10.0)
    assert failing.text == "10 % failed: 10 of 100 in 10 s (limit: 5 %)"
    assert one(state, CheckLimits(max_failure_rate=10.0)).status == "ok"


def test_findings() -> None:
    state = online()
    assert one(state, CheckLimits(severity="info")).status == "ok"
    state.observe(QueueMeasured("orphan", NOW, 50))
    found = one(state, CheckLimits(severity="error"))
    assert found.finding is not None
    assert (found.subject, found.status) == ("queue orphan", "failed")
    ignored = CheckLimits(severity="error", ignored=frozenset({found.finding.code}))
    assert one(state, ignored).status == "ok"


def test_a_finding_below_error_is_a_warning() -> None:
    state = online()
    state.totals.malformed = 1
    assert one(state, CheckLimits(severity="warning")).status == "warning"
    assert one(state, CheckLimits(severity="error")).status == "ok"


def test_a_cluster_without_workers_fails_by_default() -> None:
    limits = CheckLimits().or_default()
    assert [result.status for result in check(ClusterState(), limits, NOW)] == ["failed", "ok"]
    given = CheckLimits(max_waiting={"mail": 1})
    assert given.or_default() is given
