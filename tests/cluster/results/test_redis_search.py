"""Tasks that finished before the session started, with each kind of backend."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.results.backends.base import ResultReader
from celtop.cluster.results.backends.decode import from_payload
from celtop.cluster.results.open import open_results
from celtop.cluster.results.redis_search import MAX_UNMEASURED, SCAN_COUNT
from celtop.cluster.results.search import ResultSearch
from celtop.model.entities.result import ResultMeta
from celtop.settings import Settings
from celtop.tests.cluster.results.conftest import FilledBackend
from celtop.tests.servers import RedisServer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def reader_of(url: str, **settings: Any) -> ResultReader:
    return open_results(Settings(result_backend=url, **settings))


def recent(reader: ResultReader, most: int) -> list[ResultMeta]:
    found: list[ResultMeta] = []
    reader.search(ResultSearch(NOON.timestamp(), limit=most), found.extend)
    return found


def test_each_backend_lists_the_newest_results(
    backend: FilledBackend, request: pytest.FixtureRequest
) -> None:
    first = backend.run("echo", 1)
    backend.run("progress", 600, status="PROGRESS")
    second = backend.run("fail", status="FAILURE")
    found = recent(backend.reader, 10)
    if "memcached" in request.node.name:
        assert found == []  # it cannot list its keys
        return
    assert [meta.id for meta in found] == [second.id, first.id]
    assert [(meta.status, meta.name) for meta in found] == [
        ("FAILURE", "results.fail"),
        ("SUCCESS", "results.echo"),
    ]
    assert [meta.id for meta in recent(backend.reader, 1)] == [second.id]
    backend.reader.close()


def entry(number: int, status: str = "SUCCESS") -> str:
    done = (NOON + timedelta(seconds=number)).isoformat()
    return json.dumps({"status": status, "result": number, "date_done": done})


class TestRedis:
    def test_the_longest_to_live_are_the_newest(
        self, redis_server: RedisServer, redis_url: str
    ) -> None:
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        for number in range(3_000):
            client.set(f"celery-task-meta-t{number}", entry(number), px=10**8 + 1000 * number)
            client.set(f"other{number}", "x")
        found = recent(reader_of(redis_url), 250)
        assert [meta.id for meta in found] == [f"t{number}" for number in range(2999, 2749, -1)]

    def test_results_that_never_expire_are_sorted_by_their_time(
        self, redis_server: RedisServer, redis_url: str
    ) -> None:
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        for number in range(300):
            client.set(f"celery-task-meta-t{number}", entry(number))
        found = recent(reader_of(redis_url), 50)
        assert [meta.id for meta in found] == [f"t{number}" for number in range(299, 249, -1)]

    def test_unfinished_tasks_do_not_count_as_results_that_are_not_loaded(
        self, redis_server: RedisServer, redis_url: str
    ) -> None:
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        for number, status in enumerate(("SUCCESS", "PROGRESS", "STARTED")):
            client.set(f"celery-task-meta-t{number}", entry(number, status), ex=100)
        search = ResultSearch(NOON.timestamp(), limit=50)
        found = reader_of(redis_url).search(search, lambda metas: None)
        assert (found.total, found.more) == (1, False)

    def test_a_prefix_is_not_a_pattern_and_large_results_are_not_read(
        self, redis_server: RedisServer, redis_url: str
    ) -> None:
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        client.set("a?_celery-task-meta-ours", entry(1), ex=100)
        client.set("a?_celery-task-meta-large", entry(2) + " " * (300 << 10), ex=100)
        client.rpush("a?_celery-task-meta-list", "x")
        client.set("ab_celery-task-meta-theirs", entry(3), ex=100)
        options = {"global_keyprefix": "a?"}
        found = recent(reader_of(redis_url, result_backend_transport_options=options), 50)
        assert [meta.id for meta in found] == ["ours"]

    def test_large_results_of_several_tasks_are_not_decoded(
        self, redis_server: RedisServer, redis_url: str
    ) -> None:
        """Those of two hundred tasks may not fit into memory; of one task, it was asked for."""
        client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
        large = json.loads(entry(1)) | {"result": "x" * (300 << 10), "group_id": "g"}
        client.set("celery-task-meta-large", json.dumps(large))
        client.set("celery-task-meta-small", entry(2))
        client.rpush("celery-task-meta-list", "x")
        reader = reader_of(redis_url)
        found = reader.read(
            ["large", "list", "small", *(f"none{n}" for n in range(MAX_UNMEASURED))]
        )
        assert found.keys() == {"large", "small"}
        assert found["small"] == from_payload("small", entry(2))
        meta = found["large"]
        assert (meta.status, meta.group_id, meta.result) == ("SUCCESS", "g", None)
        assert "too large to decode" in (meta.undecoded or "")
        assert meta.done_at is not None
        assert reader.read(["large"])["large"].result == large["result"]

    def test_without_permission_to_run_scripts(self, own_redis: RedisServer) -> None:
        client = own_redis.client()
        for number in range(300):
            client.set(f"celery-task-meta-t{number}", entry(number), px=10**8 + 1000 * number)
        client.execute_command(
            "ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-@scripting"
        )
        found = recent(reader_of(own_redis.url(credentials="reader:pw@")), 10)
        assert [meta.id for meta in found] == [f"t{number}" for number in range(299, 289, -1)]

    def test_no_command_reads_more_than_a_block_of_keys(self, own_redis: RedisServer) -> None:
        client = own_redis.client()
        with client.pipeline(transaction=False) as pipe:
            for number in range(20_000):
                pipe.set(f"celery-task-meta-t{number}", entry(number), ex=1000)
            pipe.execute()
        client.config_set("slowlog-max-len", 100_000)
        client.config_set("slowlog-log-slower-than", 0)
        assert len(recent(reader_of(own_redis.url()), 500)) == 500
        client.config_set("slowlog-log-slower-than", -1)
        commands = [entry["command"] for entry in client.slowlog_get(100_000)]
        # Redis logs 31 arguments of a command and the number of the others. SCAN returns whole
        # buckets of its hash table, so a few keys more than it was asked for.
        left_out = [re.search(rb"\((\d+) more arguments\)", command) for command in commands]
        assert 20_000 < len(commands) < 100_000
        assert max(int(found[1]) for found in left_out if found) < 1.5 * SCAN_COUNT


def test_only_the_newest_rows_of_a_large_table_are_sorted(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute(
            "create table celery_taskmeta (id integer primary key, task_id text, status text,"
            " result blob, date_done datetime, traceback text)"
        )
        rows = (
            (f"t{number}", "SUCCESS" if number % 2 else "PROGRESS", b"1",
             (NOON + timedelta(seconds=number)).strftime("%Y-%m-%d %H:%M:%S.%f"))
            for number in range(5_000)
        )  # fmt: skip
        database.executemany(
            "insert into celery_taskmeta (task_id, status, result, date_done) values (?, ?, ?, ?)",
            rows,
        )
    found = recent(reader_of(f"db+sqlite:///{path}"), 3)
    assert [meta.id for meta in found] == ["t4999", "t4997", "t4995"]
    assert found[0].done_at == NOON.timestamp() + 4999
