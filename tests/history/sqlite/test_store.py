from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from celtop.history.rows import Batch, StoredLog
from celtop.history.sql.schema import VERSION
from celtop.history.sqlite.store import SqliteStore
from celtop.history.store import CorruptStoreError, NewerStoreError, StoreError
from celtop.model.query.language import parse_query
from celtop.tests.history.rows import CLUSTER, NOW, row


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "celtop" / "history.sqlite3"
    store = SqliteStore(path)
    store.write(Batch(tasks=(row("a"),)))
    files = sorted(path.parent.iterdir())
    assert [one.name for one in files] == [
        "history.sqlite3",
        "history.sqlite3-shm",
        "history.sqlite3-wal",
    ]
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_a_newer_history_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    SqliteStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(NewerStoreError, match="newer celtop"):
        SqliteStore(path)
    with pytest.raises(NewerStoreError):
        SqliteStore(path, read_only=True)


def test_what_is_no_database_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    path.write_bytes(b"x" * 5_000)
    with pytest.raises(CorruptStoreError, match=str(path)):
        SqliteStore(path)


def test_the_error_of_a_folder_that_cannot_be_made_has_advice(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--no-history"):
        SqliteStore(tmp_path / "file" / "history.sqlite3")


def test_a_folder_is_no_history_and_keeps_its_permissions(tmp_path: Path) -> None:
    mode = tmp_path.stat().st_mode
    with pytest.raises(StoreError, match="directory"):
        SqliteStore(tmp_path)
    assert tmp_path.stat().st_mode == mode


def test_a_link_to_a_file_that_is_to_be_created_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    path.symlink_to(tmp_path / "elsewhere.sqlite3")
    SqliteStore(path).close()
    assert path.is_symlink()
    assert stat.S_IMODE((tmp_path / "elsewhere.sqlite3").stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_the_owners_alone_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    path.touch(0o644)
    SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_celtops_write_and_a_third_reads(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    first, second = SqliteStore(path), SqliteStore(path)
    reader = SqliteStore(path, read_only=True)
    first.write(Batch(tasks=(row("a", 10),)))
    second.write(Batch(tasks=(row("b", 5), row("c", 1, cluster="other"))))
    first.write(Batch(tasks=(row("d", 2, cluster="other"),)))
    found = reader.tasks(CLUSTER, parse_query(""), NOW, 10).tasks
    assert [one.id for one in found] == ["b", "a"]
    assert [one.tasks for one in reader.clusters()] == [2, 2]
    with pytest.raises(StoreError, match="readonly"):
        reader.write(Batch(tasks=(row("e"),)))
    for store in (first, second, reader):
        store.close()


def test_another_celtop_that_ends_leaves_the_log_of_one_that_reads_and_writes(
    tmp_path: Path,
) -> None:
    """SQLite deletes the write-ahead log of a file that no process has locked."""
    path = tmp_path / "history.sqlite3"
    SqliteStore(path).close()
    reader = SqliteStore(path, read_only=True)
    writer = SqliteStore(path)
    writer.write(Batch(tasks=(row("a", 10),)))
    run_store(path, "")
    writer.write(Batch(tasks=(row("b", 5),)))
    assert run_store(path, "print(len(store.tasks(CLUSTER, parse_query(''), NOW, 9).tasks))") == "2"
    for store in (reader, writer):
        store.close()


def run_store(path: Path, statement: str) -> str:
    """Open the store in another process, execute a statement, and close it; return what it prints.

    SQLite's locks are between processes.
    """
    program = (
        "from pathlib import Path\n"
        "from celtop.history.sqlite.store import SqliteStore\n"
        "from celtop.model.query.language import parse_query\n"
        "from celtop.tests.history.rows import CLUSTER, NOW\n"
        f"store = SqliteStore(Path({str(path)!r}))\n{statement}\nstore.close()\n"
    )
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_batch_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(tmp_path / "history.sqlite3")
    original = store._execute_many

    def fail_at_log(sql: str, rows: object) -> None:
        if "INTO runs" in sql:
            raise StoreError("the disk is full", transient=True)
        original(sql, rows)  # type: ignore[arg-type]

    from celtop.history.rows import Run

    monkeypatch.setattr(store, "_execute_many", fail_at_log)
    batch = Batch(tasks=(row("a"),), runs=(Run(CLUSTER, "h", NOW, NOW),))
    with pytest.raises(StoreError):
        store.write(batch)
    monkeypatch.undo()
    assert store.tasks(CLUSTER, parse_query(""), NOW, 10).tasks == ()
    store.write(batch)
    assert len(store.tasks(CLUSTER, parse_query(""), NOW, 10).tasks) == 1
    store.close()


@pytest.mark.parametrize("filter_", ["", "state:failure", "!state:success name:x", "name:bill"])
def test_places_are_found_by_an_index(tmp_path: Path, filter_: str) -> None:
    """The place where a slice ends must not cost a look at each task."""
    store = SqliteStore(tmp_path / "history.sqlite3")
    plans: list[str] = []
    original = store._rows

    def explain(sql: str, parameters: object = ()) -> list[tuple[object, ...]]:
        if "FROM tasks" in sql:
            found = original(f"EXPLAIN QUERY PLAN {sql}", parameters)  # type: ignore[arg-type]
            plans.extend(str(line[-1]) for line in found)
        return original(sql, parameters)  # type: ignore[arg-type]

    store._rows = explain  # type: ignore[method-assign]
    store.write(Batch(tasks=(row("a"),)))
    store.tasks(CLUSTER, parse_query(filter_), NOW, 10)
    wanted = "tasks_unsuccessful_listed" if "state" in filter_ else "tasks_at_listed"
    assert plans
    assert all(wanted in line for line in plans), plans
    store.close()


def test_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "history.sqlite3")
    name, line = "shop\ud800", "bad\udfff"
    store.write(Batch(log=(StoredLog(name, NOW, "info", "broker", line),)))
    assert [one.text for one in store.log(name, 0, NOW + 1, 10)] == ["bad\ufffd"]
    store.close()


def test_a_folder_without_write_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a%20b?c#d.sqlite3"
    store = SqliteStore(path)
    store.write(Batch(tasks=(row("a"),)))
    store.close()
    monkeypatch.setattr("os.access", lambda *_: False)
    store = SqliteStore(path, read_only=True)
    assert [one.id for one in store.tasks(CLUSTER, parse_query(""), NOW, 10).tasks] == ["a"]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    store.close()


def test_many_rows_are_added_by_one_statement(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "history.sqlite3")
    rows = [
        msgspec.structs.replace(row(f"t{number:03}", number), name="shop\udfff")
        for number in range(150)
    ]
    newer = row("t003", 0.5)
    store.write(Batch(tasks=(*rows, newer, rows[-1])))
    found = store.tasks(CLUSTER, parse_query(""), NOW, 200).tasks
    assert [one.id for one in found][:3] == ["t000", "t003", "t001"]
    assert (len(found), found[0].name) == (150, "shop\ufffd")
    store.close()
