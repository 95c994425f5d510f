"""The model of a cluster that was read from its history."""

from __future__ import annotations

from celtop.export.lists.document import type_record
from celtop.export.snapshot.snapshot import queue_record, take_snapshot, worker_record
from celtop.model.entities.cluster.recorded import (
    RecordedCluster,
    RecordedFinding,
    RecordedType,
    RecordedValues,
)
from celtop.model.health.findings import findings
from celtop.model.observations import InspectReply, Observation, QueueMeasured
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch

AT = 1_800_000_000.0
NOW = AT + 3_600.0
VALUES = {"busy": 1.6, "slots": 4.0, "rss": 1e6, "load": 0.5, "n_failed": 3.0}


def restored(recorded: RecordedCluster, *observed: Observation) -> ClusterState:
    state = ClusterState()
    state.restore(recorded, observed, NOW)
    state.tick(NOW)
    state.take_changes()
    return state


def test_workers_have_the_status_of_then() -> None:
    names = ("on", "behind", "left", "lost")
    workers = tuple(RecordedValues(name, AT - (name == "behind") * 60, VALUES) for name in names)
    state = restored(
        RecordedCluster(AT + 2, workers, left_at={"left": AT - 5}, lost_at={"lost": AT - 9})
    )
    listening = state.broker.listening(NOW)
    found = {name: worker_record(state.workers[name], NOW, listening) for name in names}
    assert [found[name].status for name in names] == ["online", "offline", "offline", "offline"]
    online = found["on"]
    assert (online.active, online.concurrency, online.rss_bytes) == (2, 4, 1_000_000)
    assert (online.failed, online.load, online.heartbeat_age_s) == (3, [0.5], 3_600.0)
    assert (online.pool, online.queues, online.processed, online.reserved) == (None,) * 4


def test_nothing_follows_from_what_is_not_recorded() -> None:
    mail = RecordedValues("mail", AT, {"waiting": 7.0, "in_per_s": 0.5, "oldest": 30.0})
    recorded = RecordedFinding("beat-overdue", "error", "schedule x", "late", "look", AT - 60)
    state = restored(RecordedCluster(AT, queues=(mail,), findings=(recorded,)))
    queue = queue_record(state.queues["mail"], state, NOW)
    assert (queue.waiting, queue.in_per_s, queue.oldest_age_at_least_s) == (7, 0.5, 30.0)
    assert (queue.consumers, queue.unacked, queue.delayed, queue.oldest_age_s) == (None,) * 4
    assert [(one.code, one.subject, one.since) for one in findings(state, NOW)] == [
        ("beat-overdue", "schedule x", AT - 60)
    ], "no finding that there are no consumers, no worker, no connection"
    snapshot = take_snapshot(state, NOW)
    assert snapshot.broker.status == "lost"
    assert snapshot.totals.succeeded_per_s is None
    assert [note.text for note in snapshot.notes if note.subject == "broker"] == [
        "not connected: this is from the history, last written at 2027-01-15T08:00:00.000Z"
    ]


def test_the_counts_of_task_types() -> None:
    state = restored(RecordedCluster(AT, types=(RecordedType("shop.bill", 9, 4, 2, 1, 0, AT),)))
    kind = state.types["shop.bill"]
    assert (kind.received, kind.succeeded, kind.failed, kind.retried) == (9, 4, 2, 1)
    assert (kind.last_at, kind.held) == (AT, 0)


def test_unfinished_tasks_are_unknown_as_they_are_not_recorded() -> None:
    state = restored(RecordedCluster(AT, types=(RecordedType("shop.bill", 9, 4, 2, 1, 0, AT),)))
    record = type_record(state.types["shop.bill"], state)
    assert (record.waiting, record.running) == (None, None)


def test_what_was_observed_last_goes_before_recorded_means() -> None:
    heartbeat = Event(
        "worker-heartbeat", "on", AT - 1, pid=7, freq=2.0, active=3, processed=9, loadavg=(1.0, 2.0)
    )
    queues = [{"name": "mail"}]
    pool = {"implementation": "celery.concurrency.solo:TaskPool"}
    state = restored(
        RecordedCluster(
            AT,
            (RecordedValues("on", AT, VALUES),),
            (RecordedValues("mail", AT, {"waiting": 7.0, "in_per_s": 0.5, "out_per_s": 0.25}),),
        ),
        InspectReply("on", "stats", {"pool": pool}, AT - 9),
        InspectReply("on", "active_queues", queues, AT - 9),
        QueueMeasured("mail", AT - 4, waiting=5, unacked=2),
        EventBatch((heartbeat,), AT - 1),
    )
    found = worker_record(state.workers["on"], NOW, state.broker.listening(NOW))
    assert (found.status, found.pool, found.active, found.processed) == ("online", "solo", 3, 9)
    assert (found.queues, found.load, found.concurrency) == (["mail"], [1.0, 2.0], 4)
    assert (found.heartbeat_age_s, found.failed) == (NOW - AT + 1, 3)
    queue = queue_record(state.queues["mail"], state, NOW)
    assert (queue.waiting, queue.unacked, queue.in_per_s, queue.out_per_s) == (5, 2, 0.5, 0.25)
    assert state.queues["mail"].notes == ("measured 1 h ago",)
