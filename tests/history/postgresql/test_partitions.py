"""The partitions of a real PostgreSQL; times are those of today, which only get partitions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from celtop.history.postgresql import partitions as postgresql_partitions
from celtop.history.postgresql.partitions import DAY
from celtop.history.postgresql.store import PostgresStore
from celtop.history.rows import Batch, Rollup, StoredLog, StoredTask
from celtop.model.query.language import parse_query
from celtop.tests.history.rows import CLUSTER, row
from celtop.tests.postgres import PostgresServer

NOON = time.time() // DAY * DAY + DAY / 2
FOREVER = 1e12
HUGE = 1 << 50


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    opened = PostgresStore(postgres_url)
    yield opened
    opened.close()


def task(id_: str, at: float, **fields: Any) -> StoredTask:
    return msgspec.structs.replace(row(id_, **fields), at=at)


def ids(store: PostgresStore) -> list[str]:
    return [one.id for one in store.tasks(CLUSTER, parse_query(""), NOON, 1000).tasks]


def partitions(server: PostgresServer, url: str) -> list[str]:
    found = server.run(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relispartition ORDER BY 1", url
    )
    return [str(name).rpartition("_")[0] for (name,) in found if "_other" not in name]


def test_days_are_dropped_whole(
    store: PostgresStore, postgres_server: PostgresServer, postgres_url: str
) -> None:
    for days in range(5):
        at = NOON - days * DAY
        batch = Batch(
            tasks=(task(f"t{days}", at), task(f"u{days}", at + 1)),
            rollups=(Rollup(CLUSTER, "cluster", "", int(at // 60), {"waiting": 1.0}),),
            log=(StoredLog(CLUSTER, at, "info", "w", "online"),),
        )
        store.write(batch)
        store.write(batch)  # its outcome was unknown
    assert len(partitions(postgres_server, postgres_url)) == 15
    # Half of the third day is too old: it stays until it is over.
    slices = 0
    while store.prune(NOON, 2.0 * DAY, HUGE).more:
        slices += 1
    assert slices == 6
    assert ids(store) == ["u0", "t0", "u1", "t1", "u2", "t2"]
    assert len(store.log(CLUSTER, 0, NOON + 1, 10)) == 3
    assert len(partitions(postgres_server, postgres_url)) == 9


def test_a_task_that_ends_on_the_next_day_moves(store: PostgresStore) -> None:
    store.write(Batch(tasks=(task("a", NOON - DAY, state="STARTED"), task("b", NOON - DAY))))
    store.write(Batch(tasks=(task("a", NOON - 5, state="STARTED"), task("a", NOON))))
    (found,) = store.task(CLUSTER, "a")
    assert (found.at, found.state) == (NOON, "SUCCESS")
    assert ids(store) == ["a", "b"]


def test_times_that_cannot_be_right_get_no_partition(
    store: PostgresStore, postgres_server: PostgresServer, postgres_url: str
) -> None:
    store.write(Batch(tasks=(task("past", 5.0), task("future", NOON + 90 * DAY))))
    assert partitions(postgres_server, postgres_url) == []
    assert ids(store) == ["future", "past"]
    store.prune(NOON, 7.0 * DAY, HUGE)
    assert ids(store) == ["future"]


def test_a_day_that_was_in_the_future_gets_its_partition(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(Batch(tasks=(task("early", NOON + 5 * DAY),)))
    monkeypatch.setattr(postgresql_partitions, "MAX_DAYS_AHEAD", 10)
    store.write(Batch(tasks=(task("now", NOON + 5 * DAY),)))
    assert ids(store) == ["now"]


def test_the_oldest_partitions_go_if_there_is_too_much(
    store: PostgresStore,
    postgres_server: PostgresServer,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql_partitions, "MIN_SPLIT_SIZE", 100_000)
    monkeypatch.setattr(postgresql_partitions, "MAX_SHARE", 0.0)
    for part in range(3):
        now = NOON + part * 600
        tasks = (task(f"t{part}-{n:03}", now + n / 1000, args="x" * 3000) for n in range(300))
        store.write(Batch(tasks=tuple(tasks)))
        assert len(partitions(postgres_server, postgres_url)) == part + 1
        assert not store.prune(now + 1, FOREVER, HUGE).more
        assert not store.prune(now + 2, FOREVER, HUGE).more
        assert len(partitions(postgres_server, postgres_url)) == part + 2
    now = NOON + 1801
    assert len(ids(store)) == 900
    size = store.prune(now, FOREVER, HUGE).size
    dropped = store.prune(now, FOREVER, size - 1)
    assert dropped.more
    assert dropped.size < size
    assert {one[:2] for one in ids(store)} == {"t1", "t2"}
