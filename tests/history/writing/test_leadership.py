"""Which of several celtops writes the history, and what a celtop that begins finds in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.history.open import open_store
from celtop.history.rows import Batch, Rollup, Run, StoredFinding, StoredOperation
from celtop.history.sqlite.store import SqliteStore
from celtop.history.store import StoreError
from celtop.history.writing import leadership
from celtop.history.writing.leadership import Leadership
from celtop.history.writing.writer import HistoryWriter, Retention
from celtop.model.health.first_found import SETTLED_AFTER
from celtop.model.query.language import parse_query
from celtop.tests.history.rows import CLUSTER, NOW, row
from celtop.tests.history.unwritable_store import FlakyStore, Reports
from celtop.tests.servers import until


@pytest.mark.parametrize(
    ("ended_at", "expected"),
    [
        (None, ("warning", "recorded for 40 s since .*: the celtop before this one was killed")),
        (NOW - 60, ("info", "recorded for 40 s since .*: no celtop was running")),
    ],
)
def test_the_time_without_a_celtop_is_reported(
    tmp_path: Path, ended_at: float | None, expected: tuple[str, str]
) -> None:
    path, reports = tmp_path / "history.sqlite3", Reports()
    before = SqliteStore(path)
    before.write(Batch(runs=(Run(CLUSTER, "h:1", NOW - 90, NOW - 60, ended_at),)))
    before.close()
    writer = HistoryWriter(str(path), Retention(), reports, clock=lambda: NOW)
    writer.start()
    for second in range(2):
        writer.put(Batch(runs=(Run(CLUSTER, "h:2", NOW - 20, NOW + second),)))
    writer.stop()
    writer.join(10)
    ((level, text),) = reports
    assert level == expected[0]
    assert re.search(expected[1], text)


def test_a_clock_that_was_set_back_is_reported_and_is_no_gap(tmp_path: Path) -> None:
    path, reports = tmp_path / "history.sqlite3", Reports()
    before = SqliteStore(path)
    runs = (Run(CLUSTER, "h:0", NOW - 900, NOW - 600, NOW - 600),)
    before.write(Batch(runs=(*runs, Run(CLUSTER, "h:1", NOW + 3_000, NOW + 3_600, NOW + 3_600))))
    before.close()
    writer = HistoryWriter(str(path), Retention(), reports, clock=lambda: NOW)
    writer.start()
    writer.put(Batch(runs=(Run(CLUSTER, "h:2", NOW - 20, NOW),)))
    writer.stop()
    writer.join(10)
    ((level, text),) = reports
    assert level == "warning"
    assert "1 h from now: a clock was set back" in text


def test_what_was_counted_before_a_restart_in_the_same_minute_counts_on(tmp_path: Path) -> None:
    path, minute = tmp_path / "history.sqlite3", int(NOW // 60)

    def rollup(at: int, **values: float) -> Rollup:
        return Rollup(CLUSTER, "cluster", "", at, values)

    before = SqliteStore(path)
    run = Run(CLUSTER, "h:1", NOW - 90, NOW - 5)
    before.write(Batch(rollups=(rollup(minute, n_failed=3, busy=9),), runs=(run,)))
    before.close()
    writer = HistoryWriter(str(path), Retention(), Reports(), clock=lambda: NOW)
    writer.start()
    for failed, at in ((1, minute), (2, minute), (5, minute + 1)):
        run = Run(CLUSTER, "h:2", NOW, NOW + failed)
        writer.put(Batch(rollups=(rollup(at, n_failed=failed, busy=1),), runs=(run,)))
    writer.stop()
    writer.join(10)
    after = SqliteStore(path, read_only=True)
    assert [after.rollups(CLUSTER, at)[0].values for at in (minute, minute + 1)] == [
        {"n_failed": 5, "busy": 1},
        {"n_failed": 5, "busy": 1},
    ]
    after.close()


class Rivals:
    """Two writers of one history, which see the same tasks."""

    def __init__(self, location: str) -> None:
        self.location = location
        self.reports = Reports(), Reports()
        self.writers = [
            HistoryWriter(location, Retention(), report, clock=lambda: NOW)
            for report in self.reports
        ]
        self.sent: list[str] = []

    def send(self, *writers: int) -> None:
        """Have a task written by some of the writers."""
        name = f"t{len(self.sent)}"
        self.sent.append(name)
        for each in writers:
            run = Run(CLUSTER, f"host:{each}", NOW, NOW + len(self.sent))
            self.writers[each].put(Batch(tasks=(row(name, -len(self.sent)),), runs=(run,)))

    def stored(self) -> list[str]:
        if not any(one.leads for one in self.writers):
            return []  # it may not exist yet
        store = open_store(self.location, read_only=True)
        try:
            found = store.tasks(CLUSTER, parse_query(""), NOW, 100).tasks
            return sorted(one.id for one in found)
        finally:
            store.close()


@pytest.fixture
def rivals(location: str) -> Iterator[Rivals]:
    pair = Rivals(location)
    yield pair
    for writer in pair.writers:
        writer.stop()
        if writer.is_alive():
            writer.join(10)


class BehindStore(FlakyStore):
    """A store of which another writer is behind by an hour, until it ends."""

    leads = False

    def lead(self, cluster: str) -> bool:
        return self.leads

    def written_at(self, cluster: str) -> float:
        return NOW - 3_600

    def findings(self, cluster: str, since: float, until: float) -> tuple[()]:
        return ()

    def gaps(self, cluster: str, since: float, until: float) -> tuple[()]:
        return ()

    def observations(self, cluster: str, since: float) -> tuple[()]:
        return ()


def test_held_batches_without_tasks_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "MAX_BACKLOG_ROWS", 40)
    store = BehindStore()
    opened: Any = store
    store.full = False
    writer = HistoryWriter("x", Retention(), Reports(), open_=lambda _: opened, clock=lambda: NOW)
    for second in range(60):
        if second == 59:
            store.leads = True
        run = Run(CLUSTER, "host:1", NOW, NOW + second)
        rollup = Rollup(CLUSTER, "cluster", "", second // 60, {"n_succeeded": 1.0})
        assert writer._attempt(Batch(rollups=(rollup,), runs=(run,)))
    assert len(store.written) == 20 + 1


def test_a_held_batch_that_cannot_be_stored_keeps_no_other_waiting() -> None:
    class PickyStore(BehindStore):
        def write(self, batch: Batch) -> None:
            if any(each.id == "bad" for each in batch.tasks):
                raise OverflowError("too large")
            self.written.append(batch)

    store = PickyStore()
    opened: Any = store
    writer = HistoryWriter("x", Retention(), Reports(), open_=lambda _: opened, clock=lambda: NOW)
    run = Run(CLUSTER, "host:1", NOW, NOW)
    for id_ in ("a", "bad", "b", "last"):
        store.leads = id_ == "last"
        assert writer._attempt(Batch(tasks=(row(id_),), runs=(run,)))
    assert [batch.tasks[0].id for batch in store.written] == ["a", "b", "last"]
    assert writer.lost == 1


def test_one_of_two_writes_and_the_other_takes_over(rivals: Rivals) -> None:
    first, second = rivals.writers
    first.start()
    rivals.send(0, 1)
    until(lambda: rivals.stored() == ["t0"])
    second.start()
    until(lambda: second.leads is False)
    rivals.send(0, 1)
    for _ in range(2 * leadership.HELD_BATCHES):
        rivals.send(1)  # the first one is behind, and ends before it has written these
    until(lambda: not second.waiting)
    first.stop()
    first.join(10)
    assert rivals.stored()[:2] == ["t0", "t1"]

    def taken_over() -> bool:
        rivals.send(1)
        return bool(second.leads)

    until(taken_over)
    second.stop()
    second.join(10)
    assert rivals.stored() == sorted(rivals.sent)
    assert rivals.reports[0] == []
    assert [text for _, text in rivals.reports[1]] == [
        "Another celtop writes the history; this one stands by.",
        "The history is written by this celtop now.",
    ]


def test_who_stands_by_writes_what_the_other_cannot_see(rivals: Rivals) -> None:
    first, second = rivals.writers
    rivals.send(0)
    first.start()
    until(lambda: rivals.stored() == ["t0"])
    operation = StoredOperation(CLUSTER, "host:1:1", NOW, NOW, "me", "revoked", ("a",))
    run = Run(CLUSTER, "host:1", NOW, NOW)
    second.put(Batch(tasks=(row("a"),), operations=(operation,), runs=(run,)))
    second.start()
    second.stop()
    second.join(10)
    store = open_store(rivals.location, read_only=True)
    assert store.operations(CLUSTER, "a", 5) == [operation]
    assert rivals.stored() == ["t0"]
    store.close()


def finding(code: str, began_at: float, ended_at: float | None = None) -> StoredFinding:
    return StoredFinding(CLUSTER, code, "w", began_at, ended_at, "warning", code, "wait")


def test_lasting_findings_go_on_after_a_takeover(location: str) -> None:
    writers = [HistoryWriter(location, Retention(), Reports(), clock=lambda: NOW) for _ in range(2)]
    first, second = writers
    lasting = finding("lost", NOW - 50), finding("late", NOW - 40)
    first.put(Batch(findings=lasting, runs=(Run(CLUSTER, "h:1", NOW - 60, NOW),)))
    first.start()
    until(lambda: first.leads)
    seen = finding("lost", NOW - 49), finding("new", NOW - 1)
    second.put(Batch(findings=seen, runs=(Run(CLUSTER, "h:2", NOW - 90, NOW + 1),)))
    second.start()
    until(lambda: second.leads is False)
    first.stop()
    first.join(10)

    def taken_over() -> bool:
        second.put(Batch(runs=(Run(CLUSTER, "h:2", NOW - 90, NOW + 2),)))
        return bool(second.leads)

    until(taken_over)
    ended = finding("lost", NOW - 49, NOW + 3)
    second.put(Batch(findings=(ended,), runs=(Run(CLUSTER, "h:2", NOW - 90, NOW + 3),)))
    second.stop()
    second.join(10)
    store = open_store(location, read_only=True)
    assert store.findings(CLUSTER, 0, NOW + 9) == [
        finding("lost", NOW - 50, NOW + 3),
        finding("late", NOW - 40, NOW),
        finding("new", NOW - 1),
    ]
    third = HistoryWriter(location, Retention(), Reports(), clock=lambda: NOW)
    again = finding("new", NOW + 5)
    third.put(Batch(findings=(again,), runs=(Run(CLUSTER, "h:3", NOW + 5, NOW + 5),)))
    third.start()
    third.stop()
    third.join(10)
    assert store.findings(CLUSTER, NOW + 5, NOW + 9) == [finding("new", NOW - 1)]
    store.close()


def test_a_finding_that_is_gone_ends_also_if_that_cannot_be_written_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(tmp_path / "history.sqlite3")
    run = Run(CLUSTER, "h:1", NOW - 90, NOW - 5)
    store.write(Batch(findings=(finding("lost", NOW - 60),), runs=(run,)))
    leader = Leadership(Reports(), lambda _: None, lambda *_: None, 9_999, lambda: NOW)
    leader.write(store, Batch(runs=(Run(CLUSTER, "h:2", NOW, NOW),)))
    later = Batch(runs=(Run(CLUSTER, "h:2", NOW, NOW + SETTLED_AFTER),))
    with monkeypatch.context() as full:
        full.setattr(store, "write", FlakyStore().write)
        with pytest.raises(StoreError):
            leader.write(store, later)
    assert [one.ended_at for one in store.findings(CLUSTER, NOW - 60, NOW)] == [None]
    leader.write(store, later)
    assert [one.ended_at for one in store.findings(CLUSTER, NOW - 60, NOW)] == [NOW - 5]
    store.close()
