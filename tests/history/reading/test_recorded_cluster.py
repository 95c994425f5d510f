"""How a cluster was when its history was last written, from a store of each kind."""

from __future__ import annotations

from celtop.history.reading.recorded_cluster import recorded_cluster, recorded_observations
from celtop.history.rows import (
    Batch,
    Rollup,
    Run,
    StoredFinding,
    StoredMark,
    StoredObservation,
)
from celtop.history.store import HistoryStore
from celtop.model.entities.cluster.recorded import RecordedFinding, RecordedType, RecordedValues
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import ConnectionChanged, InspectReply, Observation, QueueMeasured
from celtop.model.records.record import encode_record
from celtop.model.wire.events import Event, EventBatch

MINUTE = 30_000_000
NOW = MINUTE * 60 + 20.0
"""20 seconds after the present minute began."""


def rollup(kind: str, name: str, ago: int, **values: float) -> Rollup:
    return Rollup("shop", kind, name, MINUTE - ago, values)  # type: ignore[arg-type]


def finding(code: str, ended_at: float | None = None) -> StoredFinding:
    return StoredFinding("shop", code, "queue mail", NOW - 60, ended_at, "error", "why", "do it")


def test_nothing_was_recorded(store: HistoryStore) -> None:
    store.write(Batch(rollups=(rollup("worker", "web@1", 0, busy=1.0),)))
    assert recorded_cluster(store, "shop") is None
    assert recorded_cluster(store, "billing") is None


def test_the_newest_values_with_the_counts_of_an_hour(store: HistoryStore) -> None:
    store.write(
        Batch(
            runs=(Run("shop", "h:1:1", NOW - 9_000, NOW),),
            rollups=(
                rollup("worker", "web@1", 90, busy=9.0, n_failed=100.0),
                rollup("worker", "web@1", 5, busy=9.0, n_failed=4.0),
                rollup("worker", "web@1", 0, busy=2.0, n_failed=1.0),
                rollup("worker", "old@1", 90, busy=1.0),
                rollup("worker", "gone@1", 3, slots=1.0),
                rollup("queue", "mail", 1, waiting=7.0),
                rollup("type", "shop.bill", 2_000, n_received=3.0, n_succeeded=2.0),
                rollup("type", "shop.bill", 2, n_received=2.0, n_failed=1.0, n_revoked=1.0),
                rollup("type", "shop.bill", 1, n_received=0.0),
                rollup("type", "shop.idle", 0, n_received=0.0),
            ),
            marks=(
                StoredMark("shop", NOW - 200, "lost", "gone@1"),
                StoredMark("shop", NOW - 200, "stopped", "web@1"),
                StoredMark("shop", NOW - 100, "started", "web@1"),
            ),
            findings=(finding("queue-without-consumers"), finding("worker-late", NOW - 30)),
        )
    )
    found = recorded_cluster(store, "shop", types=True)
    assert found is not None
    assert found.at == NOW
    assert sorted(found.workers, key=lambda one: one.name) == [
        RecordedValues("gone@1", (MINUTE - 2) * 60.0, {"slots": 1.0}),
        RecordedValues("web@1", NOW, {"busy": 2.0, "n_failed": 5.0}),
    ]
    assert found.queues == (RecordedValues("mail", MINUTE * 60.0, {"waiting": 7.0}),)
    assert found.types == (
        RecordedType("shop.bill", 5, 2, 1, 0, 1, (MINUTE - 1) * 60.0),
        RecordedType("shop.idle", 0, 0, 0, 0, 0, None),
    )
    assert (found.lost_at, found.left_at) == ({"gone@1": NOW - 200}, {})
    assert found.findings == (
        RecordedFinding("queue-without-consumers", "error", "queue mail", "why", "do it", NOW - 60),
    )


def test_what_was_observed_last_of_workers_that_are_not_gone(store: HistoryStore) -> None:
    sign = EventBatch((Event("worker-heartbeat", "web@1", NOW - 1, pid=7),), NOW - 1)
    depth = QueueMeasured("mail", NOW - 4, waiting=5)
    kept = InspectReply("web@1", "stats", {"pid": 7}, NOW - 9)
    left_out: tuple[Observation, ...] = (
        InspectReply("web@1", "active", [], NOW - 9),
        InspectReply("gone@1", "stats", {"pid": 8}, NOW - 9),
        ConnectionChanged("live", NOW - 60),
    )
    observed: tuple[Observation, ...] = (sign, depth, kept, *left_out)
    rows = [
        StoredObservation("shop", str(number), NOW, encode_record(NOW, one, Redaction()).decode())
        for number, one in enumerate(observed)
    ]
    broken = StoredObservation("shop", "new", NOW, '{"of": "another version"}')
    store.write(Batch(observations=(*rows, broken)))
    found = recorded_observations(store, "shop")
    assert sorted(map(type, found[:-1]), key=str) == [InspectReply, QueueMeasured]
    assert kept in found and depth in found
    assert isinstance(found[-1], EventBatch), "it is the latest sign of life"
