"""Searches reach every entry of real result backends, not only the newest ones."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy
from celtop.cluster.results.backends.base import ResultReader
from celtop.cluster.results.open import open_results
from celtop.cluster.results.search import Found, ResultSearch
from celtop.model.entities.result import ResultMeta
from celtop.model.query.language import parse_query
from celtop.settings import Settings
from celtop.tests.cluster.results.conftest import django_environment
from celtop.tests.postgres import PostgresServer
from celtop.tests.servers import APPS, RedisServer

START = datetime(2026, 11, 1, tzinfo=UTC)
"""When the first task ended; each further one ended a minute later."""
NOW = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
COUNT = 20_000
FAILED_EVERY = 833
"""24 of the tasks failed."""

Rows = list[tuple[str, str, str, str, datetime]]


def rows(count: int = COUNT) -> Rows:
    """Return id, status, name, result and end of tasks, the last of which is unfinished."""
    found = []
    for number in range(count):
        failed = number % FAILED_EVERY == FAILED_EVERY - 1
        result = {"exc_type": "OSError", "exc_message": [number]} if failed else number
        name = "Bills.send_100%" if number % 1000 == 7 else "geo.resize"
        ended = START + timedelta(minutes=number)
        status = "FAILURE" if failed else "SUCCESS"
        found.append((f"id-{number}", status, name, json.dumps(result), ended))
    return [
        *found,
        ("id-running", "STARTED", "geo.resize", "null", START + timedelta(minutes=count)),
    ]


def create_tables(url: str) -> None:
    """Create the tables of Celery's own models.

    Its session manager creates them once per process before Celery 5.5, with any database.
    """
    from celery.backends.database.models import ResultModelBase

    engine = sqlalchemy.create_engine(url.removeprefix("db+"))
    ResultModelBase.metadata.create_all(engine)
    engine.dispose()


def fill_postgres(url: str) -> None:
    create_tables(f"db+{url}")
    row = "(nextval('task_id_sequence'), :id, :status, :name, :result, :ended, 'w1')"
    columns = "(id, task_id, status, name, result, date_done, worker)"
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sqlalchemy.text(f"insert into celery_taskmeta {columns} values {row}"),
            [
                {
                    "id": id_, "status": status, "name": name, "result": result.encode(),
                    "ended": ended.replace(tzinfo=None),
                }
                for id_, status, name, result, ended in rows()
            ],
        )  # fmt: skip
    engine.dispose()


def fill_sqlite(path: Path) -> str:
    url = f"db+sqlite:///{path}"
    create_tables(url)
    with sqlite3.connect(path) as database:
        database.executemany(
            "insert into celery_taskmeta (task_id, status, name, result, date_done, worker)"
            " values (?, ?, ?, ?, ?, 'w1')",
            [
                (id_, status, name, result.encode(), ended.strftime("%Y-%m-%d %H:%M:%S.%f"))
                for id_, status, name, result, ended in rows()
            ],
        )
    return url


def fill_django(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.executemany(
            "insert into django_celery_results_taskresult (task_id, status, task_name, result,"
            " date_done, date_created, date_started, worker, periodic_task_name, content_type,"
            " content_encoding, meta) values (?, ?, ?, ?, ?, ?, ?, 'w1', ?, 'application/json',"
            " 'utf-8', '{}')",
            [
                (
                    id_, status, name, result, str(ended.replace(tzinfo=None)),
                    str(ended.replace(tzinfo=None) - timedelta(minutes=1)),
                    str(ended.replace(tzinfo=None) - timedelta(seconds=30)),
                    "Nightly bills" if name.startswith("Bills") else None,
                )
                for id_, status, name, result, ended in rows()
            ],
        )  # fmt: skip


def fill_redis(url: str) -> None:
    import redis

    client: Any = redis.Redis.from_url(url)
    pipe = client.pipeline(transaction=False)
    for id_, status, name, result, ended in rows(2_000):
        done = None if status == "STARTED" else ended.isoformat()
        meta = {"status": status, "result": json.loads(result), "date_done": done, "name": name}
        left = int((ended - START).total_seconds()) + 1000 if done else 1000
        pipe.set(f"celery-task-meta-{id_}", json.dumps(meta), ex=left)
    pipe.execute()


@pytest.fixture(params=["sqlite", "postgres", "django", "redis"])
def reader(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    redis_url: str,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ResultReader]:
    """A reader of a backend with many results; `total` is their number."""
    if request.param == "sqlite":
        found = open_results(Settings(result_backend=fill_sqlite(tmp_path / "results.sqlite3")))
    elif request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.next_url().replace("postgresql:", "postgresql+psycopg:")
        fill_postgres(url)
        found = open_results(Settings(result_backend=f"db+{url}"))
    elif request.param == "redis":
        url = redis_server.next_url()
        fill_redis(url)
        found = open_results(Settings(result_backend=url))
    else:
        env = django_environment(monkeypatch, tmp_path, redis_url)
        fill_django(Path(env["TEST_DATABASE"]))
        found = open_results(
            Settings(result_backend="django-db", app="django_project", workdir=str(APPS))
        )
    yield found
    found.close()


def search(reader: ResultReader, text: str, **options: Any) -> tuple[list[ResultMeta], Found]:
    metas: list[ResultMeta] = []
    query = parse_query(text, UTC)
    assert not query.problems
    asked = ResultSearch(NOW, query, **{"limit": 500, "timeout": 60.0, **options})
    found = reader.search(asked, metas.extend)
    return metas, found


def test_every_entry_is_searched(reader: ResultReader, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["reader"]
    terms_are_found(reader, kind)
    a_search_can_be_stopped(reader)
    a_thorough_search_counts_and_deletes_everything(reader, kind)


def terms_are_found(reader: ResultReader, kind: str) -> None:
    count = 2_000 if kind == "redis" else COUNT
    failures = count // FAILED_EVERY
    newest, found = search(reader, "")
    assert [meta.id for meta in newest[:2]] == [f"id-{count - 1}", f"id-{count - 2}"]
    # Redis counts the keys, one of which is of the unfinished task.
    assert len(newest) == 500 and found == Found(count + (kind == "redis"))

    failed, found = search(reader, "state:failure")
    assert len(failed) == failures and found == Found(failures)
    assert all(meta.exception and meta.status == "FAILURE" for meta in failed)

    for text, number in (
        ("state:failure name:GEO.*", failures),
        ("!state:success", failures),
        ("state:running", 0),
        ("exception:OSError", failures),
        ("error:=OSError result:1", 0),
        ("finished:2026-11-01", 1440),
        ("finished:2026-11-01T01:00..2026-11-01T01:59 state:success", 60),
        ("finished:<1d", 0),
        ("name:*100%", count // 1000),
        ("name:100% !name:geo", count // 1000),
        ("name:=bills.send_100%", 0),
        ("name:s_nd,send%100", 0),
        ("name:'%,'';--,\\", 0),
        ("name:=\"x' or '1'='1\"", 0),
        ("name:=Bills.send_100%", count // 1000),
        ("worker:w1 id:=id-17" if kind != "redis" else "id:=id-17", 1),
        ("received:>1s", 0),
        ("periodic:nightly", count // 1000 if kind == "django" else 0),
        ("created:2026-11-01", 1440 if kind == "django" else 0),
        ("runtime:>29s state:failure", failures if kind == "django" else 0),
    ):
        metas, found = search(reader, text, limit=2_000)
        assert (text, len(metas), found) == (text, number, Found(number))

    some, found = search(reader, "name:geo", limit=10)
    assert len(some) == 10
    assert found == (Found(100, more=True) if kind == "redis" else Found(count - count // 1000))
    some, found = search(reader, "id:~id-1.*", limit=10)
    assert len(some) == 10 and found.more and found.total < count


def a_thorough_search_counts_and_deletes_everything(reader: ResultReader, kind: str) -> None:
    count = 2_000 if kind == "redis" else COUNT
    old = "state:success finished:<2026-11-02"
    bills = sum(1 for number in range(1440) if number % 1000 == 7)
    some, found = search(reader, f"{old} name:~Bills", limit=1, thorough=True, values=False)
    assert len(some) == 1 and found == Found(bills)
    some, found = search(reader, old, limit=5, thorough=True, values=False)
    matching = 1440 - 1440 // FAILED_EVERY
    assert len(some) == 5 and found == Found(matching)
    assert search(reader, old, thorough=True, ended_before=START.timestamp())[1] == Found(0)

    deleted = 0

    def delete(metas: tuple[ResultMeta, ...]) -> None:
        nonlocal deleted
        deleted += reader.delete(metas)

    asked = ResultSearch(NOW, parse_query(old, UTC), thorough=True, values=False)
    assert reader.search(asked, delete) == Found(matching)
    assert deleted == matching
    assert search(reader, old)[1] == Found(0)
    assert search(reader, "state:failure")[1] == Found(count // FAILED_EVERY)
    assert search(reader, "finished:2026-11-02", limit=2000)[1].total == min(1440, count - 1440)

    changed = search(reader, "id:=id-1500")[0]
    assert reader.delete([msgspec.structs.replace(changed[0], status="FAILURE")]) == 0
    assert search(reader, "state:started", limit=5)[1] == Found(0)
    unfinished = search(reader, "state:started", limit=5, thorough=True)
    assert [meta.id for meta in unfinished[0]] == ["id-running"]
    assert reader.delete(unfinished[0]) == 1


def a_search_can_be_stopped(reader: ResultReader) -> None:
    stop = threading.Event()
    stop.set()
    started = time.monotonic()
    asked = ResultSearch(NOW, parse_query("result:no-such-result"), limit=500)
    assert reader.search(asked, lambda metas: None, stop).more
    assert time.monotonic() - started < 30
