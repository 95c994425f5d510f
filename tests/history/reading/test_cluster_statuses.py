"""The rows of the list of clusters, from a store."""

from __future__ import annotations

from celtop.history.reading.cluster_statuses import cluster_statuses
from celtop.history.rows import Batch, Rollup, Run, StoredFinding
from celtop.history.store import HistoryStore
from celtop.model.entities.cluster.cluster_status import RECORDED_WITHIN, ClusterStatus

NOW = 1_800_000_000.0
MINUTE = int(NOW) // 60


def finding(code: str, severity: str, ended_at: float | None = None) -> StoredFinding:
    return StoredFinding("prod", code, "queue mail", NOW - 60, ended_at, severity, "x", "")


def test_a_cluster_that_is_recorded_now(store: HistoryStore) -> None:
    values = {"online": 3.0, "waiting": 12.4, "runnable": 90.0, "failed": 0.5}
    store.write(
        Batch(
            runs=(Run("prod", "h:1:1", NOW - 100, NOW - 1),),
            rollups=(
                Rollup("prod", "cluster", "", MINUTE - 2, {"online": 9.0}),
                Rollup("prod", "cluster", "", MINUTE - 1, values),
            ),
            findings=(
                finding("queue-without-consumers", "error"),
                finding("worker-late", "warning"),
                finding("worker-lost", "error", ended_at=NOW - 30),
            ),
        )
    )
    expected = ClusterStatus(
        "prod", "recorded", at=NOW - 1, workers=3, waiting=12, runnable_age=90.0,
        failed_per_min=30.0, errors=1, warnings=1,
    )  # fmt: skip
    assert cluster_statuses(store, NOW) == [expected]


def test_numbers_that_are_no_longer_written_are_unknown(store: HistoryStore) -> None:
    at = NOW - RECORDED_WITHIN - 1
    store.write(
        Batch(
            runs=(Run("prod", "h:1:1", at - 100, at),),
            rollups=(Rollup("prod", "cluster", "", MINUTE - 1, {"online": 3.0}),),
            findings=(finding("worker-late", "warning"),),
        )
    )
    assert cluster_statuses(store, NOW) == [ClusterStatus("prod", "not recorded", at=at)]


def test_clusters_are_sorted_by_name(store: HistoryStore) -> None:
    for name in ("b", "a"):
        store.write(Batch(runs=(Run(name, "h:1:1", NOW - 9, NOW),)))
    assert [row.name for row in cluster_statuses(store, NOW)] == ["a", "b"]
