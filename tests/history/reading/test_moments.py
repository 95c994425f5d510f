"""The minutes that a frozen screen goes back to."""

from __future__ import annotations

import pytest
from celtop.history.reading.moments import read_moment, recorded_since
from celtop.history.rows import Batch, Rollup, StoredFinding
from celtop.history.store import HistoryStore

MINUTES = (100, 101, 105)
CLUSTER = "prod"


def end(minute: int) -> float:
    return minute * 60.0 + 59


@pytest.mark.parametrize(
    ("asked", "later", "found"),
    [
        (101, False, 101),
        (101, True, 101),
        (104, False, 101),
        (102, True, 105),
        (200, False, 105),
        (200, True, None),
        (99, False, None),
        (3, True, 100),
    ],
)
def test_the_next_recorded_minute(
    store: HistoryStore, asked: int, later: bool, found: int | None
) -> None:
    rows = [Rollup(CLUSTER, "cluster", "", one, {"n_failed": one / 1}) for one in MINUTES]
    other = Rollup("other", "cluster", "", 1, {"n_failed": 1.0})
    store.write(Batch(rollups=(*rows, other)))
    moment = read_moment(store, CLUSTER, end(asked), later=later)
    if found is None:
        assert moment is None
    else:
        assert moment is not None and moment.at == end(found) and moment.asked_at == end(asked)
        assert moment.counts == {"failed": found}
    assert recorded_since(store, CLUSTER) == end(100)


def test_without_a_record_there_is_no_minute(store: HistoryStore) -> None:
    assert read_moment(store, CLUSTER, end(100), later=True) is None
    assert recorded_since(store, CLUSTER) is None


def test_a_finding_whose_text_is_of_a_later_time(store: HistoryStore) -> None:
    row = Rollup(CLUSTER, "cluster", "", 100, {"n_failed": 1.0})
    at = end(100)
    findings = (
        StoredFinding(CLUSTER, "a", "queue q", at - 50, None, "error", "9 messages", "", at + 7200),
        StoredFinding(CLUSTER, "b", "queue q", at - 50, None, "error", "5 messages", "", at + 9),
    )
    store.write(Batch(rollups=(row,), findings=findings))
    moment = read_moment(store, CLUSTER, at, later=False)
    assert moment is not None
    texts = [one.text for one in moment.findings]
    assert texts == ["9 messages (as of 2 h later)", "5 messages"]
    assert moment.findings[0].evidence == {"described_at": at + 7200}
