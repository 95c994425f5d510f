from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from celtop.history.open import open_store
from celtop.history.rows import Batch, Rollup, StoredLog
from celtop.history.sql.schema import VERSION
from celtop.history.store import StoreError
from celtop.model.query.language import parse_query
from celtop.tests.history.rows import CLUSTER, row
from celtop.tests.postgres import PostgresServer
from celtop.tests.servers import clean_environment

SHARE = "ALTER TABLE rollups ADD COLUMN share REAL;"
OBSERVATIONS = (
    "CREATE TABLE observations (cluster INTEGER, subject TEXT, at REAL, body TEXT, "
    "PRIMARY KEY (cluster, subject));"
)
SQLITE_TABLES = (("", 1), (SHARE, 1), (SHARE + OBSERVATIONS, 2))
"""What each earlier schema added to the first one, and its version."""
MINUTE = int(time.time() // 60) - 3 * 1_440
"""Of the rows; what is written later is in another partition."""
ROWS = (
    "INSERT INTO clusters (number, name) VALUES (1, 'shop');"
    "INSERT INTO tasks (cluster, id, at, state, body, name, failure, sample) "
    f"VALUES (1, 'old', {MINUTE * 60}, 'FAILURE', '{{\"id\":\"old\"}}', 'shop.bill', 'f', 1.0);"
    "INSERT INTO rollups (cluster, kind, name, minute, waiting, n_failed) "
    f"VALUES (1, 'cluster', '', {MINUTE}, 7.0, 1.0);"
    "INSERT INTO log (cluster, at, checksum, level, source, text) "
    f"VALUES (1, {MINUTE * 60}, 5, 'info', 'web@1', 'online');"
)
INTERRUPTED = """
import importlib, os, sys
from celtop.history.open import open_store

location, kind, signal = sys.argv[1:]
driver = importlib.import_module(f"celtop.history.{kind}.store")
made = driver.creation

def interrupted(*arguments):
    for number, statement in enumerate(made(*arguments)):
        if statement.startswith("CREATE TABLE IF NOT EXISTS observations"):
            os.kill(os.getpid(), int(signal))
        yield statement

driver.creation = interrupted
open_store(location)
"""
"""A process that gets a signal between two statements of an update."""


def tables(kind: str) -> str:
    return (Path(__file__).parent / f"schema_1_{kind}.sql").read_text()


def check_rows(location: str) -> None:
    """Check that an older history is updated with its rows, and written."""
    now, today = time.time(), MINUTE + 3 * 1_440
    store = open_store(location)
    rollup = Rollup(CLUSTER, "cluster", "", today, {"waiting": 8.0, "share": 0.5})
    store.write(Batch(tasks=(row("new", state="FAILURE", failure="f"),), rollups=(rollup,)))
    store.close()
    store = open_store(location, read_only=True)
    found = store.tasks(CLUSTER, parse_query("state:failure"), now, 10).tasks
    assert [one.id for one in found] == ["old", "new"]
    assert [one.id for one in store.task(CLUSTER, "ol")] == ["old"]
    series = store.series(CLUSTER, "cluster", "", MINUTE * 60, (today + 1) * 60, 60)
    assert (series["waiting"][0], series["waiting"][-1], series["share"][-1]) == (7.0, 8.0, 0.5)
    line = StoredLog(CLUSTER, MINUTE * 60.0, "info", "web@1", "online")
    assert store.log(CLUSTER, 0, now, 5) == [line]
    store.close()


@pytest.mark.parametrize("reads_first", [False, True])
@pytest.mark.parametrize(("added", "version"), SQLITE_TABLES)
def test_files_of_each_earlier_version(
    tmp_path: Path, added: str, version: int, reads_first: bool
) -> None:
    path = tmp_path / "history.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.executescript(tables("sqlite") + added + ROWS)
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    if reads_first:
        store = open_store(str(path), read_only=True)
        assert [one.id for one in store.task(CLUSTER, "ol")] == ["old"]
        store.close()
    check_rows(str(path))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.close()


def test_an_older_file_that_cannot_be_updated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.executescript(tables("sqlite"))
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    monkeypatch.setattr(
        "celtop.history.sqlite.store.creation", lambda *_: ["ALTER TABLE missing ADD COLUMN a"]
    )
    with pytest.raises(StoreError, match="older celtop, and cannot be brought up to date"):
        open_store(str(path), read_only=True)


def first_file(tmp_path: Path) -> str:
    """Return the location of a file of the first version."""
    path = tmp_path / "history.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.executescript(tables("sqlite") + ROWS)
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    return str(path)


def first_database(server: PostgresServer) -> str:
    """Return the URL of a database of the first version."""
    import psycopg

    url = server.next_url()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA celtop; SET search_path = celtop")
        connection.execute("CREATE TABLE schema_version (version BIGINT PRIMARY KEY)")
        connection.execute("INSERT INTO schema_version VALUES (1)")
        connection.execute((tables("postgresql") + ROWS).encode())
    return url


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_interrupted_update_is_made_by_the_next_celtop(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str, number: signal.Signals
) -> None:
    if kind == "sqlite":
        location = first_file(tmp_path)
    else:
        location = first_database(request.getfixturevalue("postgres_server"))
    command = [sys.executable, "-c", INTERRUPTED, location, kind, str(number.value)]
    ended = subprocess.run(command, env=clean_environment(), capture_output=True, check=False)
    assert ended.returncode == -number
    check_rows(location)


def test_a_database_of_an_earlier_version(postgres_server: PostgresServer) -> None:
    url = first_database(postgres_server)
    with pytest.raises(StoreError, match="Update the celtop that writes it"):
        open_store(url, read_only=True)
    check_rows(url)
