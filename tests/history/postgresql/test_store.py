from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from celtop.history.postgresql import store as postgresql
from celtop.history.postgresql.store import PostgresStore
from celtop.history.rows import Batch, Run, StoredLog
from celtop.history.store import NewerStoreError, StoreError
from celtop.model.query.language import parse_query
from celtop.tests.history.rows import CLUSTER, NOW, row
from celtop.tests.postgres import PostgresServer
from celtop.tests.servers import make_certificates, until

RUN = Run(CLUSTER, "host:1", NOW, NOW)


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    opened = PostgresStore(postgres_url)
    yield opened
    opened.close()


def ids(store: PostgresStore) -> list[str]:
    return [one.id for one in store.tasks(CLUSTER, parse_query(""), NOW, 100).tasks]


def test_several_celtops_create_the_tables_at_once(postgres_url: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        stores = list(threads.map(PostgresStore, [postgres_url] * 6))
    for store in stores:
        store.write(Batch(tasks=(row("a"),)))
        assert ids(store) == ["a"]
        store.close()


def test_writers_of_several_clusters_begin_a_day_at_once(postgres_url: str) -> None:
    stores = [PostgresStore(postgres_url) for _ in range(4)]
    now = time.time()

    def write(number: int) -> None:
        task = msgspec.structs.replace(row("a", cluster=f"c{number}"), at=now)
        stores[number].write(Batch(tasks=(task,)))
        stores[number].prune(now, 1e9, 1 << 40)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert [(one.cluster, one.tasks) for one in stores[0].clusters()] == [
        (f"c{number}", 1) for number in range(4)
    ]
    for store in stores:
        store.close()


def test_a_newer_schema_is_refused(postgres_server: PostgresServer, postgres_url: str) -> None:
    PostgresStore(postgres_url).close()
    postgres_server.run("INSERT INTO celtop.schema_version VALUES (1000)", postgres_url)
    with pytest.raises(NewerStoreError, match="newer celtop"):
        PostgresStore(postgres_url)


def test_a_server_without_what_only_postgresql_has(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As CockroachDB is documented to be."""
    for name in ("_PARTITION_PROBE", "_COLLATION_PROBE", "_LOCK_PROBE", "_SIZE", "_LISTEN"):
        monkeypatch.setattr(postgresql, name, "NOT SUPPORTED")
    monkeypatch.setattr(postgresql, "NEWS_INTERVAL", 0.01)
    store, reader = PostgresStore(postgres_url), PostgresStore(postgres_url, read_only=True)
    assert reader.wait_for_news(CLUSTER, 0.0)
    assert not reader.wait_for_news(CLUSTER, 0.0)
    assert store.lead(CLUSTER)
    assert reader.lead(CLUSTER)
    running = row("a", 20, state="STARTED", finished_at=None)
    store.write(Batch(tasks=(running, row("old", 500)), runs=(RUN,)))
    store.write(Batch(tasks=(row("a", 10),), log=(StoredLog(CLUSTER, NOW - 500, "info", "", ""),)))
    assert ids(reader) == ["a", "old"]
    assert reader.wait_for_news(CLUSTER, 0.0)
    assert store.prune(NOW, 100.0, 1).rows == 2
    assert ids(reader) == ["a"]
    store.close()
    reader.close()


def test_text_that_postgresql_cannot_store(store: PostgresStore) -> None:
    store.write(Batch(tasks=(row("a\0b", name="x\0"),)))
    (found,) = store.task(CLUSTER, "a\0b")
    assert (found.id, found.name) == ("a\ufffdb", "x\ufffd")


def test_who_loses_the_connection_no_longer_writes(
    store: PostgresStore, postgres_server: PostgresServer, postgres_url: str
) -> None:
    rival = PostgresStore(postgres_url)
    assert store.lead(CLUSTER)
    assert not rival.lead(CLUSTER)
    postgres_server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'", postgres_url
    )
    until(lambda: rival.lead(CLUSTER))
    for _ in range(2):
        # First the connection is lost; then a new one is made, without the lock.
        with pytest.raises(StoreError) as caught:
            store.write(Batch(tasks=(row("a"),), runs=(RUN,)))
        assert caught.value.transient
    assert not store.lead(CLUSTER)
    rival.write(Batch(tasks=(row("b"),), runs=(RUN,)))
    assert ids(store) == ["b"]
    rival.close()
    until(lambda: store.lead(CLUSTER))
    store.write(Batch(tasks=(row("a"),), runs=(RUN,)))
    assert sorted(ids(store)) == ["a", "b"]


def test_tls_and_passwords(own_postgres: PostgresServer, tmp_path: Path) -> None:
    server = own_postgres
    files = make_certificates(tmp_path)
    owner = server.data.stat()
    for name in ("cert", "key"):
        target = server.data / f"server.{name}"
        shutil.copy(files[name], target)
        target.chmod(0o600)
        os.chown(target, owner.st_uid, owner.st_gid)
    server.run("CREATE ROLE me LOGIN PASSWORD 'sec/ret' SUPERUSER")
    server.kill()
    with (server.data / "postgresql.conf").open("a") as conf:
        conf.write("ssl = on\nssl_cert_file = 'server.cert'\nssl_key_file = 'server.key'\n")
    rules = (server.data / "pg_hba.conf").read_text()
    (server.data / "pg_hba.conf").write_text(f"host all me all scram-sha-256\n{rules}")
    server.start()
    url = server.url_of("postgres", "me:sec/ret") + "?sslmode=verify-full&sslrootcert="
    store = PostgresStore(url + files["ca"])
    assert "sec/ret" not in store.location
    store.write(Batch(tasks=(row("a"),)))
    store.close()
    with pytest.raises(StoreError, match="not signed by a trusted authority"):
        PostgresStore(url + files["cert"])
    with pytest.raises(StoreError, match="rejected the user name or password") as caught:
        PostgresStore(server.url_of("postgres", "me:wrong"))
    assert "wrong" not in str(caught.value)
