from __future__ import annotations

from celtop.metrics.cluster_metrics import ClusterMetrics
from celtop.metrics.gauges import MAX_AGE
from celtop.model.entities.fault import Fault
from celtop.model.observations import (
    ConnectionChanged,
    InspectReply,
    QuestionsAnswered,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.tests.metrics.values import value, values_of
from celtop.tests.model.schedules import WORKER, entry, heartbeat, measure, pass_time, run, watched
from celtop.tests.model.streams import NOW, tick


def queue(state: ClusterState, **fields: object) -> ClusterMetrics:
    """Return the metrics after the queue `mail` was measured."""
    state.observe(QueueMeasured("mail", NOW, **fields))  # type: ignore[arg-type]
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "celery"}], NOW))
    state.tick(NOW)
    return ClusterMetrics(state)


def test_a_measured_queue() -> None:
    metrics = queue(watched(), waiting=7, unacked=2)
    assert value(metrics, "celtop_queue_waiting", "mail") == 7
    assert value(metrics, "celtop_queue_unacked", "mail") == 2


def test_what_is_unknown_is_absent() -> None:
    metrics = queue(watched(), waiting=7)
    assert value(metrics, "celtop_queue_waiting", "mail") == 7
    for name in ("unacked", "oldest_age_seconds", "in_per_second"):
        assert value(metrics, f"celtop_queue_{name}", "mail") is None


def test_an_age_that_is_not_known_exactly_is_only_a_minimum() -> None:
    state = watched()
    metrics = queue(state, waiting=7)
    state.queues["mail"].runnable_age_at_least = 19.0
    assert value(metrics, "celtop_queue_oldest_runnable_age_seconds", "mail") is None
    assert value(metrics, "celtop_queue_oldest_runnable_age_at_least_seconds", "mail") == 19.0


def test_an_empty_queue_has_no_message_that_waits() -> None:
    metrics = queue(watched(), waiting=0)
    assert value(metrics, "celtop_queue_oldest_runnable_age_seconds", "mail") == 0.0


def test_a_depth_that_was_measured_long_ago_is_unknown() -> None:
    metrics = queue(watched(), waiting=7)
    assert value(metrics, "celtop_queue_waiting", "mail", now=NOW + MAX_AGE + 1) is None


def test_a_queue_without_consumers_has_0_and_a_finding() -> None:
    state = watched()
    metrics = queue(state, waiting=7)
    assert value(metrics, "celtop_queue_consumers", "mail") is None, "there may be other workers"
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.tick(NOW)
    assert value(metrics, "celtop_queue_consumers", "mail") == 0
    assert value(metrics, "celtop_queue_consumers", "celery") == 1
    labels = ("queue-without-consumers", "error")
    assert value(metrics, "celtop_findings", *labels) == 1
    queue(state, waiting=0)
    assert value(metrics, "celtop_findings", *labels) == 0, "it is gone, which is known"


def test_a_worker_that_is_online() -> None:
    state = watched()
    state.observe(InspectReply(WORKER, "stats", {"pool": {"max-concurrency": 4}}, NOW))
    metrics = ClusterMetrics(state)
    for name in ("flower_worker_online", "celtop_worker_up"):
        assert value(metrics, name, WORKER) == 1
    assert value(metrics, "celtop_worker_late", WORKER) == 0
    assert value(metrics, "celtop_worker_lost", WORKER) == 0
    assert value(metrics, "celtop_worker_slots", WORKER) == 4
    assert value(metrics, "flower_worker_number_of_currently_executing_tasks", WORKER) == 0
    assert value(metrics, "celtop_worker_reserved", WORKER) is None, "it was not asked"


def test_a_lost_worker_runs_an_unknown_number_of_tasks() -> None:
    state = watched()
    tick(state, NOW + 60)
    metrics = ClusterMetrics(state)
    assert value(metrics, "celtop_worker_up", WORKER, now=NOW + 60) == 0
    assert value(metrics, "celtop_worker_lost", WORKER, now=NOW + 60) == 1
    assert value(metrics, "celtop_worker_running", WORKER, now=NOW + 60) is None


def test_without_a_connection_workers_are_unknown_and_the_broker_is_down() -> None:
    state = watched()
    state.observe(ConnectionChanged("lost", NOW, Fault("refused", "connection refused", "")))
    metrics = ClusterMetrics(state)
    assert value(metrics, "celtop_broker_up") == 0
    assert value(metrics, "celtop_worker_up", WORKER) is None
    assert value(metrics, "flower_worker_online", WORKER) is None


def test_overdue_entries_of_beats_schedule() -> None:
    state = watched(entry())
    run(state, NOW)
    pass_time(state, NOW + 2)
    metrics = ClusterMetrics(state)
    assert value(metrics, "celtop_beat_overdue_seconds", "tick", now=NOW + 2) == 0
    assert value(metrics, "celtop_beat_entries_overdue", now=NOW + 2) == 0
    pass_time(state, NOW + 40)
    assert value(metrics, "celtop_beat_overdue_seconds", "tick", now=NOW + 40) == 30
    assert value(metrics, "celtop_beat_entries_overdue", now=NOW + 40) == 1


def test_without_a_schedule_nothing_is_known_of_beat() -> None:
    families = ClusterMetrics(watched()).families(NOW)
    beat = [family for family in families if family.name.startswith("celtop_beat")]
    assert beat
    assert not any(family.samples for family in beat)


def test_own_counters_and_held_tasks() -> None:
    state = watched()
    families = ClusterMetrics(state).families(NOW)
    assert values_of(families, "celtop_events") == {(): state.totals.events}
    assert values_of(families, "celtop_held_tasks") == {("RECEIVED",): 1}
    heartbeat(state, NOW)
    measure(state, NOW)
    assert values_of(families, "celtop_events") == {(): state.totals.events - 1}, "a copy"
