from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from celtop.history.rows import Batch, Run
from celtop.history.sqlite.store import SqliteStore
from celtop.history.store import StoreError
from celtop.history.writing import writer as module
from celtop.history.writing.writer import HistoryWriter, Retention
from celtop.model.query.language import parse_query
from celtop.tests.history.rows import CLUSTER, NOW, row
from celtop.tests.history.unwritable_store import FlakyStore, Reports
from celtop.tests.servers import until


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
