"""The model of a cluster that was read from its history."""

from __future__ import annotations

from celtop.export.snapshot import queue_record, take_snapshot, worker_record
from celtop.model.entities.recorded import (
    RecordedCluster,
    RecordedFinding,
    RecordedType,
    RecordedValues,
)
from celtop.model.health.findings import findings
from celtop.model.state import ClusterState

AT = 1_800_000_000.0
NOW = AT + 3_600.0
VALUES = {"busy": 1.6, "slots": 4.0, "rss": 1e6, "load": 0.5, "n_failed": 3.0}


def restored(recorded: RecordedCluster) -> ClusterState:
    state = ClusterState()
    state.restore(recorded, NOW)
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
