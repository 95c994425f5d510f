"""Results in MongoDB: Celery's own backend writes what is read, into a fake of the server.

MongoDB comes in no Python package, so its driver is replaced by mongomock, which keeps documents
in memory and answers queries as the server does. What it cannot show, the network, is shown by
the real driver.
"""

from __future__ import annotations

import functools
import json
import pickle
import sys
import time
from datetime import UTC, datetime
from typing import Any

import mongomock
import pymongo
import pytest
from celery import Celery
from celery.app.task import Context
from celtop.cluster.results.backends.base import ResultReader, ResultsError, UnavailableResults
from celtop.cluster.results.open import open_results
from celtop.settings import Settings
from celtop.tests.network import black_hole
from celtop.tests.servers import free_port
from mongomock.store import ServerStore

URL = "mongodb://localhost/acme"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server that Celery and we reach alike; returned is a client of it."""
    store: Any = ServerStore
    fake = functools.partial(mongomock.MongoClient, _store=store())
    monkeypatch.setattr(pymongo, "MongoClient", fake)
    return fake(tz_aware=True)


def writer(url: str = URL, **conf: Any) -> Any:
    app = Celery("writer", backend=url, fixups=set(), set_as_current=False)
    app.conf.update(conf)
    return app.backend


def reader_of(url: str = URL, conf: dict[str, Any] | None = None) -> ResultReader:
    reader = open_results(Settings(result_backend=url), conf)
    assert reader.unavailable is None
    return reader


def fault_of(url: str) -> str:
    reader = reader_of(url)
    with pytest.raises(ResultsError) as caught:
        reader.read(["x"])
    with pytest.raises(ResultsError) as again:
        list(reader.recent(5))
    assert str(again.value) == str(caught.value)
    reader.close()
    return str(caught.value)


def test_entries_written_by_celery_are_read(server: Any) -> None:
    backend = writer()
    backend.store_result("good", {"rows": [1, "ü", None]}, "SUCCESS")
    backend.store_result("bad", ValueError("no such file", 404), "FAILURE", traceback="in fail")
    backend.store_result("running", {"current": 3, "total": 10}, "PROGRESS")
    found = reader_of().read(["good", "bad", "running", "unknown"])
    assert set(found) == {"good", "bad", "running"}
    good, bad, running = found["good"], found["bad"], found["running"]
    assert (good.status, good.result, good.undecoded) == ("SUCCESS", {"rows": [1, "ü", None]}, None)
    assert good.ready and good.done_at is not None and abs(good.done_at - time.time()) < 20
    assert (good.name, good.exact_arguments) == (None, False)
    assert bad.exception == "ValueError('no such file', 404)" and bad.traceback == "in fail"
    assert (running.status, running.ready, running.done_at) == ("PROGRESS", False, None)
    assert running.result == {"current": 3, "total": 10}


def test_extended_results(server: Any) -> None:
    backend = writer(result_extended=True)

    def store(id_: str, args: list[Any]) -> None:
        request = Context(
            id=id_, task="t.add", args=args, kwargs={"key": b"\xff"}, hostname="w1", retries=2,
            delivery_info={"routing_key": "q"}, parent_id="p", group="g", children=[],
            stamped_headers=["tenant"], stamps={"tenant": ["acme"]},
        )  # fmt: skip
        backend.store_result(id_, 3, "SUCCESS", request=request)

    store("plain", [1, {"a": [2.5, None, "ü"]}])
    store("dated", [{"when": datetime(2026, 1, 2, microsecond=123456, tzinfo=UTC)}])
    found = reader_of().read(["plain", "dated"])
    plain = found["plain"]
    assert (plain.name, plain.worker, plain.retries, plain.queue) == ("t.add", "w1", 2, "q")
    assert (plain.args, plain.kwargs) == ([1, {"a": [2.5, None, "ü"]}], {"key": b"\xff"})
    assert (plain.parent_id, plain.group_id) == ("p", "g")
    assert plain.stamps == {"tenant": ["acme"]}
    assert plain.exact_arguments
    # BSON cuts a time to milliseconds: nothing to send again.
    assert not found["dated"].exact_arguments


def test_pickles_and_compressed_results(server: Any) -> None:
    content: dict[str, Any] = {"accept_content": ["pickle", "json"], "result_serializer": "pickle"}
    writer(**content).store_result("bad", ValueError("x"), "FAILURE")
    writer(result_compression="gzip").store_result("packed", "x" * 5000, "SUCCESS")
    found = reader_of().read(["bad", "packed"])
    assert (found["bad"].status, found["bad"].undecoded) == ("FAILURE", "pickle")
    assert found["packed"].result == "x" * 5000


def test_odd_documents_do_not_end_the_read(server: Any) -> None:
    deep: Any = []
    for _ in range(150):
        deep = [deep]
    server.acme.celery_taskmeta.insert_many(
        [
            {"_id": "deep", "status": "SUCCESS", "result": "1", "args": deep},
            {"_id": "text", "status": "SUCCESS", "result": "[" * 100_000},
            {"_id": "bare"},
            {"_id": "table", "status": "SUCCESS", "result": {"native": 1}},
            {"_id": "blob", "status": "SUCCESS", "result": pickle.dumps(print)},
        ]
    )
    found = reader_of().read(["deep", "text", "bare", "table", "blob"])
    assert found["deep"].undecoded == found["text"].undecoded == "nested too deeply"
    assert found["deep"].status == "SUCCESS" and found["bare"].status is None
    assert found["table"].result == {"native": 1}
    assert found["blob"].undecoded == "pickle"


def test_many_ids_and_the_newest(server: Any) -> None:
    at = 1_772_600_000
    server.acme.celery_taskmeta.insert_many(
        {
            "_id": f"id{number}", "result": json.dumps(number), "traceback": None, "children": [],
            "status": "SUCCESS" if number % 2 else "PROGRESS",
            "date_done": datetime.fromtimestamp(at + number, UTC),
        }
        for number in range(1200)
    )  # fmt: skip
    reader = reader_of()
    assert len(reader.read([f"id{number}" for number in range(1500)])) == 1200
    blocks = list(reader.recent(150))
    assert [len(block) for block in blocks] == [100, 50]
    assert [meta.result for block in blocks for meta in block] == list(range(1199, 899, -2))
    assert list(reader.recent(0)) == []


def test_nothing_is_created_and_the_backend_settings_are_used(server: Any) -> None:
    own = {"database": "jobs", "taskmeta_collection": "done"}
    assert reader_of("mongodb://localhost").read(["x"]) == {}
    assert list(reader_of(conf={"mongodb_backend_settings": own}).recent(5)) == []
    assert server.list_database_names() == []
    writer("mongodb://localhost").store_result("x", 1, "SUCCESS")
    writer(mongodb_backend_settings=own).store_result("x", 2, "SUCCESS")
    assert reader_of("mongodb://localhost").read(["x"])["x"].result == 1
    told = {"mongodb_backend_settings": own}
    assert reader_of(conf=told).read(["x"])["x"].result == 2
    hidden = {"mongodb_backend_settings": {**own, "database": "********"}}
    assert reader_of("mongodb://localhost/jobs", hidden).read(["x"])["x"].result == 2
    for url in (None, "mongodb://localhost"):
        reader = open_results(Settings(result_backend=url), {"result_backend": URL, **hidden})
        assert isinstance(reader, UnavailableResults) and "mask the database" in str(
            reader.unavailable
        )
    moved = {"result_backend": URL, "mongodb_backend_settings": {"host": "other"}}
    assert "another server" in str(open_results(Settings(), moved).unavailable)


def test_the_driver_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo", None)
    told = fault_of("mongodb://ann:hunter2@h/db")
    assert "requires pymongo" in told and "pip install pymongo" in told


def test_servers_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("CONNECT_TIMEOUT", "READ_TIMEOUT"):
        monkeypatch.setattr(f"celtop.cluster.results.backends.mongodb.{limit}", 0.5)
    port = free_port()
    told = fault_of(f"mongodb://ann:hunter2@127.0.0.1:{port}/db")
    assert (
        f"Cannot connect to 127.0.0.1:{port}: connection refused" in told and "hunter2" not in told
    )
    with black_hole() as hole:
        told = fault_of(f"mongodb://ann:hunter2@127.0.0.1:{hole}/db")
    assert "does not respond" in told and "hunter2" not in told


@pytest.mark.parametrize("password", ["hun/ter2", "hun@ter2", "hun%2Fter2"])
def test_a_password_with_special_characters(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celtop.cluster.results.backends.mongodb.CONNECT_TIMEOUT", 0.5)
    told = fault_of(f"mongodb://ann:{password}@no-such-host.invalid/db")
    assert "Cannot resolve the host name no-such-host.invalid" in told
    assert "ter2" not in told and "hun" not in told


def test_an_invalid_url() -> None:
    told = fault_of("mongodb://ann:hunter2@h:x/db")
    assert "is invalid" in told
    assert "ter2" not in told and "hun" not in told
