"""Results in databases are read; nothing is created or changed."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import celery
import pytest
from celtop.cluster.results.backends.base import ResultReader, ResultsError
from celtop.cluster.results.open import open_results
from celtop.settings import Settings
from celtop.tests.cluster.results.conftest import OpenBackend


def reader_of(url: str, **settings: Any) -> ResultReader:
    return open_results(Settings(result_backend=url, **settings))


def fault_of(url: str, **settings: Any) -> str:
    with pytest.raises(ResultsError) as caught:
        reader_of(url, **settings).read(["x"])
    return str(caught.value)


def test_without_extended_results_and_far_from_greenwich(
    tmp_path: Path, open_backend: OpenBackend
) -> None:
    url = f"db+sqlite:///{tmp_path}/results.sqlite3"
    backend = open_backend(
        url,
        {"timezone": "Asia/Tokyo", "database_table_names": {"task": "acme_results"}},
        worker_conf={"timezone": "Asia/Tokyo"},
    )
    found = backend.run("echo", 1)
    assert found.result in ({"args": [1], "kwargs": {}}, {"args": (1,), "kwargs": {}})
    assert found.done_at is not None
    if celery.__version__ >= "5.5":  # which writes the app's time; 5.4 wrote UTC
        assert abs(found.done_at - time.time()) < 20
    assert (found.name, found.args, found.exact_arguments) == (None, None, False)
    with sqlite3.connect(tmp_path / "results.sqlite3") as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master")}
    assert "acme_results" in tables and "celery_taskmeta" not in tables


def test_plain_values_in_pickled_columns_are_read(
    tmp_path: Path, open_backend: OpenBackend
) -> None:
    accepted = {"result_serializer": "pickle", "accept_content": ["pickle", "json"]}
    backend = open_backend(
        f"db+sqlite:///{tmp_path}/results.sqlite3",
        {"result_extended": True, **accepted},
        worker_env={"C_FORCE_ROOT": "1"},
    )
    found = backend.run("echo", 1)
    assert (found.undecoded, found.result) == (None, {"args": (1,), "kwargs": {}})
    assert found.ready and found.name == "results.echo"
    bad = backend.run("fail", status="FAILURE")
    assert (bad.undecoded, bad.exception) == ("pickle", None)
    assert bad.traceback is not None and "ValueError: ('no such file', 404)" in bad.traceback


def test_many_ids_at_once(tmp_path: Path) -> None:
    path = tmp_path / "many.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute(
            "create table celery_taskmeta (task_id varchar, status varchar, result blob,"
            " date_done datetime, traceback text)"
        )
        database.executemany(
            "insert into celery_taskmeta values (?, 'SUCCESS', ?, '2026-03-04 05:06:07.5', null)",
            [(f"id{number}", str(number).encode()) for number in range(3000)],
        )
    found = reader_of(f"db+sqlite:///{path}").read([f"id{number}" for number in range(4000)])
    assert len(found) == 3000
    assert found["id2999"].result == 2999
    assert found["id0"].done_at == pytest.approx(1772600767.5)


def test_no_database_is_created(tmp_path: Path) -> None:
    assert "Cannot open the database file" in fault_of(f"db+sqlite:///{tmp_path}/missing.sqlite3")
    assert "Cannot open the database file" in fault_of(
        "db+sqlite:///missing.sqlite3", workdir=str(tmp_path)
    )
    assert list(tmp_path.iterdir()) == []
    empty = tmp_path / "empty.sqlite3"
    empty.touch()
    assert "no table of Celery results yet" in fault_of(f"db+sqlite:///{empty}")
    assert "no table" in fault_of("db+sqlite:///empty.sqlite3", workdir=str(tmp_path))
    assert empty.stat().st_size == 0
    text = tmp_path / "text"
    text.write_text("this is no database, though it is long enough to look like one" * 100)
    assert "file is not a database" in fault_of(f"db+sqlite:///{text}")


def test_drivers_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    told = fault_of("db+oracle+oracledb://scott:hunter2@h/db")
    assert "requires oracledb" in told and "pip install oracledb" in told
    told = fault_of("db+nonsense://scott:hunter2@h/db")
    assert "does not support this database" in told
    assert "hunter2" not in told
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert "pip install sqlalchemy" in fault_of("db+sqlite:///x.sqlite3")
