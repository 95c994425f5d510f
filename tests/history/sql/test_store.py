from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import pytest
from celtop.history.open import open_store
from celtop.history.rows import (
    Batch,
    Gap,
    Rollup,
    Run,
    StoredFinding,
    StoredLog,
    StoredMark,
    StoredOperation,
    StoredTask,
    TaskCount,
)
from celtop.history.sql import other_writers, task_search
from celtop.history.sql import store as sql_store
from celtop.history.store import HistoryStore, StoreError
from celtop.history.task_body import task_of
from celtop.model.query.language import parse_query
from celtop.tests.history.rows import CLUSTER, NOW, row
from celtop.tests.servers import until


def write_tasks(store: HistoryStore, *tasks: StoredTask) -> None:
    store.write(Batch(tasks=tasks))


def ids(store: HistoryStore, text: str = "", limit: int = 100) -> list[str]:
    return [one.id for one in store.tasks(CLUSTER, parse_query(text), NOW, limit).tasks]


def test_newest_first_and_whole(store: HistoryStore) -> None:
    rows = [row(f"t{ago}", ago) for ago in (30, 10, 20)]
    write_tasks(store, *rows)
    page = store.tasks(CLUSTER, parse_query(""), NOW, 10)
    assert page.tasks == (rows[1], rows[2], rows[0])
    assert page.cursor is None
    assert store.tasks("other", parse_query(""), NOW, 10).tasks == ()


def test_every_field_of_a_task_has_its_column(store: HistoryStore) -> None:
    values = [f"text {number}" for number in range(len(StoredTask.__struct_fields__))]
    fields: dict[str, Any] = dict(zip(StoredTask.__struct_fields__, values, strict=True))
    times = ("at", "first_seen_at", "finished_at", "runtime", "sample")
    fields |= {name: NOW + place for place, name in enumerate(times)}
    task = StoredTask(**(fields | {"cluster": CLUSTER, "body": b"{}"}))
    write_tasks(store, task)
    assert store.tasks(CLUSTER, parse_query(""), NOW, 10).tasks == (task,)


def test_a_row_replaces_an_older_one(store: HistoryStore) -> None:
    write_tasks(store, row("a", 20, state="STARTED", finished_at=None))
    write_tasks(store, row("a", 10), row("a", 10))
    (found,) = store.tasks(CLUSTER, parse_query(""), NOW, 10).tasks
    assert (found.state, found.at) == ("SUCCESS", NOW - 10)
    assert store.count(CLUSTER, parse_query(""), NOW) == TaskCount(1, True)


def test_pages_follow_each_other(store: HistoryStore) -> None:
    write_tasks(store, *(row(f"t{number:03}", 5) for number in range(50)))
    query = parse_query("name:bill")
    found: list[str] = []
    page = store.tasks(CLUSTER, query, NOW, 20)
    while True:
        found += [one.id for one in page.tasks]
        if page.cursor is None:
            break
        page = store.tasks(CLUSTER, query, NOW, 20, page.cursor)
    assert found == [f"t{number:03}" for number in reversed(range(50))]


@pytest.mark.parametrize(
    "text",
    [
        "state:failure",
        "state:failed,revoked",
        "!state:success",
        "state:running",
        "!state:running",
        "state:lost",
        "name:SHOP",
        "name:geo.*",
        "!name:shop",
        "name:=shop.bill",
        "name:=SHOP.bill",
        "id:=good",
        "exception:timeout",
        "error:=TimeoutError",
        "traceback:psycopg",
        "args:100%",
        "100%",
        "kwargs:invoice",
        "runtime:>5s",
        "age:<15",
        "finished:>15s",
        "finished:..2020-01-01",
        "worker:~^web",
        "root:r1",
        "retries:>0",
    ],
)
def test_filters_match_as_on_the_screen(store: HistoryStore, text: str) -> None:
    tasks = [
        row("good", 5, args="('100%',)"),
        row("revoked", 6, state="REVOKED"),
        row("lost", 7, state="STARTED", finished_at=None, lost_at=NOW - 7),
        row("running", 12, state="STARTED", finished_at=None, sent_at=NOW - 20),
        row(
            "failed",
            20,
            state="FAILURE",
            exception="TimeoutError('slow')",
            traceback='Traceback\n  File "psycopg.py", line 3, in x\nTimeoutError: slow',
        ),
        row("other", 30, name="geo.tile", worker="geo@2", runtime=9.5, root_id="r1", retries=2),
    ]
    write_tasks(store, *tasks)
    query = parse_query(text)
    on_screen = sorted(
        one.id for one in tasks if (task := task_of(one)) and query.matches(task, NOW)
    )
    found = sorted(ids(store, text))
    assert found == on_screen
    assert store.count(CLUSTER, query, NOW) == TaskCount(len(found), True)


def test_a_search_that_is_cut_short_goes_on(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_search, "SEARCH_TIME", -1.0)
    monkeypatch.setattr(task_search, "SLICE_ROWS", 10)
    monkeypatch.setattr(task_search, "MAX_SLICE_ROWS", 10)
    write_tasks(store, *(row(f"t{number:03}", 100 - number) for number in range(100)))
    query = parse_query("id:=t004")
    page = store.tasks(CLUSTER, query, NOW, 5)
    assert (page.tasks, page.searched) == ((), 10)
    pages = 1
    while page.cursor is not None and not page.tasks:
        page = store.tasks(CLUSTER, query, NOW, 5, page.cursor)
        pages += 1
    assert [one.id for one in page.tasks] == ["t004"]
    assert pages == 10
    found = store.count(CLUSTER, parse_query("name:bill"), NOW)
    assert (found.matching, found.exact) == (10, False)


def test_all_are_counted_in_time(store: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_search, "COUNTED_ROWS", 10)
    write_tasks(store, *(row(f"t{number:03}", 100 - number) for number in range(25)))
    assert store.count(CLUSTER, parse_query(""), NOW) == TaskCount(25, True)
    monkeypatch.setattr(task_search, "SEARCH_TIME", -1.0)
    first = store.count(CLUSTER, parse_query(""), NOW)
    assert (first.matching, first.exact) == (10, False)
    second = store.count(CLUSTER, parse_query(""), NOW, first.cursor)
    third = store.count(CLUSTER, parse_query(""), NOW, second.cursor)
    assert (second.matching, third) == (10, TaskCount(5, True))


@pytest.mark.parametrize("text", ["name:bill", "retries:>0", "retries:<1", "kwargs:number"])
def test_a_count_that_is_cut_short_goes_on(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    for name in ("SLICE_ROWS", "MAX_SLICE_ROWS", "BLOCK_ROWS"):
        monkeypatch.setattr(task_search, name, 10)
    write_tasks(
        store, *(row(f"t{number:03}", 100 - number, kwargs="number") for number in range(95))
    )
    query = parse_query(text)
    monkeypatch.setattr(task_search, "SEARCH_TIME", 60.0)
    whole = store.count(CLUSTER, query, NOW)
    monkeypatch.setattr(task_search, "SEARCH_TIME", -1.0)
    counts = [store.count(CLUSTER, query, NOW)]
    while counts[-1].cursor is not None:
        counts.append(store.count(CLUSTER, query, NOW, counts[-1].cursor))
    assert (whole.exact, counts[-1].exact, len(counts)) == (True, True, 10)
    assert sum(one.matching for one in counts) == whole.matching == (0 if ">" in text else 95)


def test_task_by_prefix_and_workflow(store: HistoryStore) -> None:
    write_tasks(
        store,
        row("3fa1"),
        row("3fa2", root_id="3fa1", parent_id="3fa1"),
        row("9", root_id="3fa1"),
        row("8", root_id="8"),
    )
    assert [one.id for one in store.task(CLUSTER, "3fa")] == ["3fa1", "3fa2"]
    assert [one.id for one in store.task(CLUSTER, "9")] == ["9"]
    assert sorted(one.id for one in store.workflow(CLUSTER, "3fa1", 10)) == ["3fa1", "3fa2", "9"]
    assert [one.id for one in store.workflow(CLUSTER, "8", 10)] == ["8"]


def test_series_sum_counts_and_average_the_rest(store: HistoryStore) -> None:
    first = int(NOW // 60)
    values = [{"waiting": 4.0, "n_failed": 1.0}, {"waiting": 6.0, "n_failed": 2.0}, {"busy": 1.0}]
    store.write(
        Batch(
            rollups=tuple(
                Rollup(CLUSTER, "cluster", "", first + minute, one)
                for minute, one in enumerate(values)
            )
        )
    )
    found = store.series(CLUSTER, "cluster", "", first * 60, (first + 6) * 60, 120)
    assert found["waiting"][0] == 5.0
    assert found["n_failed"][0] == 3.0
    assert [math.isnan(one) for one in found["busy"]] == [True, False, True]
    (summary,) = store.clusters()
    assert (summary.cluster, summary.latest) == (CLUSTER, {"busy": 1.0})


def test_failures_in_groups(store: HistoryStore) -> None:
    failing = {"state": "FAILURE", "exception": "ValueError()"}
    write_tasks(
        store,
        row("old", 500, failure="v", **failing),
        row("a", 95, failure="v", **failing),
        row("b", 15, failure="v", worker="geo@2", **failing),
        row("c", 50, failure="k", **failing),
        row("good"),
    )
    first, second = store.failures(CLUSTER, NOW - 100, NOW, 10, 5)
    assert (first.failure, first.count, first.example) == ("v", 2, "b")
    assert (first.first_at, first.last_at) == (NOW - 500, NOW - 15)
    assert first.workers == ("geo@2", "web@1")
    assert first.by_step == (1, 0, 0, 0, 0, 0, 0, 0, 1, 0)
    assert (second.failure, second.names) == ("k", ("shop.bill",))
    found = [store.failed(CLUSTER, "v", NOW - 100, NOW, limit) for limit in (9, 1)]
    assert [[one.id for one in rows] for rows in found] == [["b", "a"], ["b"]]


def test_types_weigh_percentiles_by_tasks(store: HistoryStore) -> None:
    minute = int(NOW // 60)
    store.write(
        Batch(
            rollups=(
                Rollup(CLUSTER, "type", "a", minute, {"n_succeeded": 3, "runtime_p95": 1.0}),
                Rollup(CLUSTER, "type", "a", minute + 1, {"n_failed": 1, "runtime_p95": 5.0}),
                Rollup(CLUSTER, "type", "a", minute + 2, {"n_retried": 1}),
                Rollup(CLUSTER, "type", "b", minute, {}),
            )
        )
    )
    first, second = store.types(CLUSTER, NOW - 60, NOW + 300)
    assert (first.name, first.succeeded, first.failed, first.retried) == ("a", 3, 1, 1)
    assert (first.runtime_p50, first.runtime_p95) == (None, 2.0)
    assert (second.succeeded, second.runtime_p95) == (0, None)


def test_everything_else_is_read_as_written(store: HistoryStore) -> None:
    finding = StoredFinding(CLUSTER, "late", "w", NOW - 50, NOW - 40, "warning", "late", "wait")
    lasting = StoredFinding(CLUSTER, "lost", "w", NOW - 50, None, "error", "lost", "restart")
    operation = StoredOperation(CLUSTER, "h:1:1", NOW - 30, NOW - 29, "me", "revoked", ("a", "b"))
    line = StoredLog(CLUSTER, NOW - 20, "info", "w", "online")
    mark = StoredMark(CLUSTER, NOW - 10, "deployed", "w", "1.0 to 1.1")
    batch = Batch(findings=(finding, lasting), operations=(operation,), log=(line,), marks=(mark,))
    store.write(batch)
    store.write(batch)  # its outcome was unknown
    assert store.findings(CLUSTER, NOW - 45, NOW) == [finding, lasting]
    assert store.findings(CLUSTER, NOW - 30, NOW) == [lasting]
    assert store.operations(CLUSTER, "a", 5) == [operation]
    assert store.operations(CLUSTER, "", 5) == [operation]
    assert store.operations(CLUSTER, "c", 5) == []
    assert store.log(CLUSTER, NOW - 60, NOW, 5) == [line]
    assert store.marks(CLUSTER, NOW - 60, NOW) == [mark]


def test_gaps_between_runs(store: HistoryStore) -> None:
    runs = (
        Run(CLUSTER, "h:1:1", NOW - 100, NOW - 80, NOW - 80),
        Run(CLUSTER, "h:2:1", NOW - 70, NOW - 50),
        Run(CLUSTER, "h:3:1", NOW - 49, NOW - 1),
    )
    store.write(Batch(runs=runs))
    assert store.gaps(CLUSTER, NOW - 90, NOW) == [
        Gap(NOW - 80, NOW - 70, False),
        Gap(NOW - 50, NOW - 49, True),
    ]
    # A celtop that is running writes every two seconds at least.
    assert store.gaps(CLUSTER, NOW - 40, NOW + 2.5) == []
    assert store.gaps(CLUSTER, NOW - 40, NOW + 3) == [Gap(NOW - 1, NOW + 3, True)]


def test_a_jump_of_the_clock_within_a_day_is_found(store: HistoryStore) -> None:
    day, first = 1_440, int(NOW // 60)

    def write(*minutes: int) -> None:
        rollups = [Rollup(CLUSTER, "cluster", "", first + one, {"busy": 1.0}) for one in minutes]
        alive_at = float((first + minutes[-1]) * 60)
        run = Run(CLUSTER, "h:1:1", NOW, alive_at)
        store.write(Batch(rollups=tuple(rollups), runs=(run,)))

    assert store.written_steadily_at() is None
    write(0, 1)
    assert store.written_steadily_at() == (first + 1) * 60
    write(365 * day, 365 * day + 5)
    assert store.written_steadily_at() == (first + 2) * 60
    write(*range(365 * day, 366 * day + 5, 60), 366 * day + 5)
    assert store.written_steadily_at() == (first + 366 * day + 5) * 60, "it has been steady since"


def test_old_rows_are_deleted_in_slices(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_store, "PRUNED_ROWS", 10)
    write_tasks(store, *(row(f"t{number}", 100 + number) for number in range(30)), row("new"))
    store.write(Batch(log=(StoredLog(CLUSTER, NOW - 200, "info", "w", "online"),)))
    slices = 0
    while store.prune(NOW, 50.0, 10**9).more:
        slices += 1
    assert ids(store) == ["new"]
    assert slices == 2
    assert store.log(CLUSTER, 0, NOW, 5) == []


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_the_oldest_go_if_it_is_too_large(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_store, "PRUNED_ROWS", 100)
    write_tasks(store, *(row(f"t{number:04}", number, args="x" * 900) for number in range(1_000)))
    limit = store.prune(NOW, 10**9, 10**9).size // 2
    while (pruned := store.prune(NOW, 10**9, limit)).more:
        pass
    assert pruned.size <= limit
    kept = ids(store, limit=2_000)
    assert kept[0] == "t0000"
    assert 100 < len(kept) < 900
    assert kept == sorted(kept)


def test_news_of_another_writer(store: HistoryStore, location: str) -> None:
    reader = open_store(location, read_only=True)
    assert reader.wait_for_news(CLUSTER, 0.0)
    assert not reader.wait_for_news(CLUSTER, 0.0)
    store.write(Batch(runs=(Run(CLUSTER, "h:1:1", NOW, NOW),)))
    assert reader.wait_for_news(CLUSTER, 10.0)
    reader.close()


def test_one_store_leads_each_cluster(store: HistoryStore, location: str) -> None:
    rival = open_store(location)
    assert store.lead(CLUSTER)
    assert store.lead(CLUSTER)
    assert not rival.lead(CLUSTER)
    assert rival.lead("other")
    assert not store.lead("other")
    store.close()
    until(lambda: rival.lead(CLUSTER))
    rival.close()


def runs_of(location: str) -> list[float]:
    """Return when each run last wrote."""
    reader = open_store(location, read_only=True)
    alive_at = [one.alive_at for one in reader.clusters()]
    reader.close()
    return alive_at


def test_a_writer_that_is_frozen_is_replaced(
    store: HistoryStore, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = open_store(location)
    assert store.lead(CLUSTER)
    store.write(Batch(runs=(Run(CLUSTER, "h:1:1", NOW, NOW),)))
    assert not rival.lead(CLUSTER)
    monkeypatch.setattr(other_writers, "MAX_SILENCE", 0.0)
    store.write(Batch(runs=(Run(CLUSTER, "h:1:1", NOW, NOW + 1),)))
    assert not rival.lead(CLUSTER), "it has just written"
    until(lambda: rival.lead(CLUSTER))
    monkeypatch.undo()
    with suppress(StoreError):  # its connection was closed
        if store.lead(CLUSTER):
            store.write(Batch(runs=(Run(CLUSTER, "h:1:1", NOW, NOW + 9),)))
    assert runs_of(location) == [NOW + 1]
    assert not store.lead(CLUSTER)
    rival.write(Batch(runs=(Run(CLUSTER, "h:2:1", NOW, NOW + 2),)))
    rival.close()
    until(lambda: store.lead(CLUSTER))
