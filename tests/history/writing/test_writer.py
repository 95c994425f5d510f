from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.history.open import open_store
from celtop.history.rows import Batch, Pruned, Rollup, Run, StoredFinding, StoredOperation
from celtop.history.sqlite.store import SqliteStore
from celtop.history.store import StoreError
from celtop.history.writing import leadership
from celtop.history.writing import writer as module
from celtop.history.writing.writer import HistoryWriter, Retention
from celtop.model.query.language import parse_query
from celtop.tests.history.rows import CLUSTER, NOW, row
from celtop.tests.servers import until


class Reports(list[tuple[str, str]]):
    """What the user was told."""

    def __call__(self, level: str, text: str, problem: str | None) -> None:
        assert (problem is None) is (level != "error")
        self.append((level, text))


class FlakyStore:
    """A store whose disk is full until a test frees it."""

    def __init__(self) -> None:
        self.full = True
        self.attempts = 0
        self.written: list[Batch] = []

    def lead(self, cluster: str) -> bool:
        return True

    def write(self, batch: Batch) -> None:
        self.attempts += 1
        if self.full:
            raise StoreError("Cannot write the history: the disk is full.", transient=True)
        self.written.append(batch)

    def prune(self, now: float, max_age: float, max_bytes: int) -> Pruned:
        return Pruned(0, False, 0)

    def written_steadily_at(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def stored(path: Path) -> list[str]:
    store = SqliteStore(path, read_only=True)
    try:
        return [one.id for one in store.tasks(CLUSTER, parse_query(""), NOW, 100).tasks]
    finally:
        store.close()


def test_what_was_put_is_written_before_the_end(tmp_path: Path) -> None:
    path, reports = tmp_path / "history.sqlite3", Reports()
    writer = HistoryWriter(str(path), Retention(), reports, clock=lambda: NOW)
    writer.start()
    for number in range(5):
        writer.put(Batch(tasks=(row(f"t{number}", 10 - number),)))
    writer.stop()
    writer.join(10)
    assert stored(path) == ["t4", "t3", "t2", "t1", "t0"]
    assert reports == []


def test_a_full_disk_is_reported_once_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MIN_PAUSE", 0.01)
    monkeypatch.setattr(module, "MAX_PAUSE", 0.01)
    reports, store = Reports(), FlakyStore()
    opened: Any = store
    writer = HistoryWriter("x", Retention(), reports, open_=lambda _: opened, clock=lambda: NOW)
    writer.start()
    batches = [Batch(tasks=(row("a"),)), Batch(tasks=(row("b"),))]
    for batch in batches:
        writer.put(batch)
    until(lambda: store.attempts > 3)
    assert [level for level, _ in reports] == ["error"]
    assert writer.fault == "Cannot write the history: the disk is full."
    store.full = False
    until(lambda: len(store.written) == 2)
    until(lambda: writer.fault is None)
    assert store.written == batches
    assert reports[1:] == [("info", "The history is being written again.")]
    writer.stop()
    writer.join(10)


def test_a_batch_that_can_never_be_written_is_given_up() -> None:
    class Broken(FlakyStore):
        def write(self, batch: Batch) -> None:
            if batch.tasks[0].id == "bad":
                raise ValueError("no such value")
            self.written.append(batch)

    reports, store = Reports(), Broken()
    opened: Any = store
    writer = HistoryWriter("x", Retention(), reports, open_=lambda _: opened, clock=lambda: NOW)
    for name in ("a", "bad", "b"):
        writer.put(Batch(tasks=(row(name),)))
    writer.start()
    writer.stop()
    writer.join(10)
    assert [batch.tasks[0].id for batch in store.written] == ["a", "b"]
    ((level, text),) = reports
    assert level == "warning"
    assert "no such value" in text
    assert writer.lost == 1


def test_a_long_failure_loses_the_oldest_and_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BACKLOG_ROWS", 3)
    monkeypatch.setattr(module, "MIN_PAUSE", 0.01)
    monkeypatch.setattr(module, "MAX_PAUSE", 0.01)
    reports, store = Reports(), FlakyStore()
    opened: Any = store
    writer = HistoryWriter("x", Retention(), reports, open_=lambda _: opened, clock=lambda: NOW)
    for number in range(5):
        writer.put(Batch(tasks=(row(f"t{number}"),)))
    assert writer.lost == 2
    writer.start()
    until(lambda: bool(reports))
    store.full = False
    until(lambda: len(reports) == 2)
    assert [batch.tasks[0].id for batch in store.written] == ["t2", "t3", "t4"]
    assert "2 tasks could not be written" in reports[1][1]
    writer.stop()
    writer.join(10)


def test_batches_without_tasks_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BACKLOG_ROWS", 3)
    writer = HistoryWriter("x", Retention(), Reports())
    for _ in range(10):
        writer.put(Batch(runs=(Run(CLUSTER, "h:1:1", NOW, NOW),)))
    assert len(writer._batches) == 3


@pytest.mark.parametrize("content", [b"no database" * 500, None], ids=["text", "damaged"])
def test_a_corrupt_file_is_moved_aside(tmp_path: Path, content: bytes | None) -> None:
    path, reports = tmp_path / "history.sqlite3", Reports()
    if content is None:
        whole = SqliteStore(path)
        whole.write(Batch(tasks=tuple(row(f"t{number:04}") for number in range(2_000))))
        whole.close()
        content = path.read_bytes()
        content = content[:4_096] + b"\xff" * (len(content) - 4_096)
    path.write_bytes(content)
    writer = HistoryWriter(str(path), Retention(), reports, clock=lambda: NOW)
    writer.start()
    writer.put(Batch(tasks=(row("a"),)))
    writer.stop()
    writer.join(10)
    assert stored(path) == ["a"]
    ((level, text),) = reports
    aside = tmp_path / f"history.sqlite3.corrupt-{int(NOW)}"
    assert level == "warning"
    assert str(aside) in text
    assert aside.read_bytes()[:4_096] == content[:4_096]


def test_a_file_that_was_removed_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIN_PAUSE", 0.01)
    path, reports = tmp_path / "history.sqlite3", Reports()
    writer = HistoryWriter(str(path), Retention(), reports, clock=lambda: NOW)
    writer.start()
    writer.put(Batch(tasks=(row("a"),)))
    until(lambda: not writer._batches)
    assert stored(path) == ["a"]
    path.unlink()
    writer.put(Batch(tasks=(row("b"),)))
    until(lambda: len(reports) == 2)
    assert stored(path) == ["b"]
    assert "was removed" in reports[0][1]
    writer.stop()
    writer.join(10)


def test_the_retention_runs_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PRUNE_INTERVAL", 0.01)
    path = tmp_path / "history.sqlite3"
    writer = HistoryWriter(str(path), Retention(max_age=50.0), Reports(), clock=lambda: NOW)
    writer.start()
    writer.put(Batch(tasks=(row("old", 100), row("new", 10))))
    until(lambda: path.exists() and stored_or_nothing(path) == ["new"])
    assert writer.size > 0
    writer.stop()
    writer.join(10)


def stored_or_nothing(path: Path) -> list[str]:
    try:
        return stored(path)
    except StoreError:
        time.sleep(0.01)  # it is being created
        return []


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
        time.sleep(0.05)
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


@pytest.mark.parametrize(("last_run", "kept"), [(7.5, ["new"]), (0.0, ["new", "old"])])
def test_a_clock_that_is_far_ahead_deletes_nothing(
    tmp_path: Path, last_run: float, kept: list[str]
) -> None:
    """Days since the last row; the clock shows eight, whatever the last run saw."""
    path = tmp_path / "history.sqlite3"
    store = SqliteStore(path)
    run = Run(CLUSTER, "h:1", NOW, NOW + last_run * module.DAY)
    store.write(Batch(tasks=(row("old", 0.0),), runs=(run,)))
    store.close()
    now = NOW + 8 * module.DAY
    writer = HistoryWriter(str(path), Retention(), Reports(), clock=lambda: now)
    writer.put(Batch(tasks=(row("new", -8 * module.DAY),), runs=(Run(CLUSTER, "h:2", now, now),)))
    writer.stop()
    writer.start()
    writer.join(10)
    assert stored(path) == kept


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
        time.sleep(0.05)
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
