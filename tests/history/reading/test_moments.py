"""The minutes that a frozen screen goes back to."""

from __future__ import annotations

import pytest
from celtop.history.reading.moments import read_moment, recorded_since
from celtop.history.rows import Batch, Rollup
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
