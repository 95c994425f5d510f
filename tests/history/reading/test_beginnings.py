"""Since when findings last and messages are next, for a celtop that starts."""

from __future__ import annotations

import pytest
from celtop.history.reading.beginnings import beginnings
from celtop.history.rows import Batch, Run, StoredFinding, StoredObservation
from celtop.history.store import HistoryStore
from celtop.model.health.first_found import MAX_GAP
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import FindingsKnown, QueueHead, QueueHeadsKnown, QueueMeasured
from celtop.model.records.record import encode_record
from celtop.tests.history.rows import CLUSTER, NOW


def finding(code: str, began_at: float, ended_at: float | None = None) -> StoredFinding:
    return StoredFinding(CLUSTER, code, "queue q", began_at, ended_at, "error", code, "", began_at)


def queue(at: float) -> StoredObservation:
    head = QueueHead("a", next_since=at - 50)
    seen = QueueMeasured("q", at, 3, heads=(head, QueueHead()), runnable=(QueueHead("b"),))
    body = encode_record(at, seen, Redaction()).decode()
    return StoredObservation(CLUSTER, "queue q", at, body)


@pytest.mark.parametrize(("gap", "known"), [(60.0, True), (MAX_GAP + 60, False)])
def test_what_had_not_ended_at_the_end_of_the_run_before(
    store: HistoryStore, gap: float, known: bool
) -> None:
    end = NOW - gap
    run = Run(CLUSTER, "h:1", end - 900, end, end)
    rows = (finding("lost", end - 300), finding("late", end - 300, end - 200))
    store.write(Batch(runs=(run,), findings=rows, observations=(queue(end - 10),)))
    expected = [
        FindingsKnown({"lost": {"queue q": end - 300}}, NOW),
        QueueHeadsKnown({"q": {"a": end - 60}}, NOW),
    ]
    assert list(beginnings(store, CLUSTER, NOW)) == (expected if known else [])


def test_what_began_before_an_earlier_gap_is_left_out(store: HistoryStore) -> None:
    runs = (
        Run(CLUSTER, "h:1", NOW - 9_000, NOW - 8_000, NOW - 8_000),
        Run(CLUSTER, "h:2", NOW - 900, NOW - 9, NOW - 9),
    )
    rows = (finding("lost", NOW - 8_500), finding("late", NOW - 500))
    store.write(Batch(runs=runs, findings=rows))
    assert list(beginnings(store, CLUSTER, NOW)) == [
        FindingsKnown({"late": {"queue q": NOW - 500}}, NOW)
    ]
    assert list(beginnings(store, "other", NOW)) == []
