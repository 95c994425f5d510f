from __future__ import annotations

import psycopg
import pytest
from celtop.history.postgresql.errors import explain
from celtop.history.postgresql.store import PostgresStore
from celtop.history.store import StoreError
from celtop.tests.postgres import PostgresServer
from celtop.tests.servers import free_port

URL = "postgresql://me:***@db/shop"


@pytest.mark.parametrize(
    ("text", "words", "transient"),
    [
        ('port 1 failed: FATAL:  password authentication failed for user "a"', "rejected", False),
        ("connection failed: fe_sendauth: no password supplied", "rejected", False),
        ("failed: FATAL:  sorry, too many clients already", "connection limit", True),
        ("failed: FATAL:  the database system is starting up", "starting up", True),
        ("failed to resolve host 'x': [Errno -2] Name or service not known", "resolve", True),
        ("connection timeout expired", "does not respond", True),
        ("server does not support SSL, but SSL was required", "does not use TLS", False),
        ("SSL error: certificate verify failed", "trusted authority", False),
        ("consuming input failed: server closed the connection unexpectedly", "closed", True),
    ],
)
def test_connection_errors_are_explained(text: str, words: str, transient: bool) -> None:
    found = explain(psycopg.OperationalError(text), URL)
    assert words in str(found)
    assert found.transient is transient


@pytest.mark.parametrize(
    ("error", "words", "transient"),
    [
        (psycopg.errors.InsufficientPrivilege("permission denied for schema x"), "lacks a", False),
        (psycopg.errors.DiskFull("could not extend file"), "disk", True),
        (psycopg.errors.QueryCanceled("due to statement timeout"), "in time", True),
        (psycopg.errors.LockNotAvailable("due to lock timeout"), "in time", True),
        (psycopg.errors.ReadOnlySqlTransaction("read-only transaction"), "read-only", True),
        (psycopg.errors.AdminShutdown("terminating connection"), "closed the", True),
        (psycopg.errors.DeadlockDetected("deadlock detected"), "deadlock detected", True),
        (psycopg.errors.SyntaxError('at or near "x"'), 'near "x"', False),
    ],
)
def test_statement_errors_are_explained(error: psycopg.Error, words: str, transient: bool) -> None:
    found = explain(error, URL)
    assert words in str(found)
    assert found.transient is transient


def failure(url: str, *, read_only: bool = False) -> str:
    with pytest.raises(StoreError) as caught:
        PostgresStore(url, read_only=read_only)
    assert "secret" not in str(caught.value)
    return str(caught.value)


def test_what_the_server_refuses(postgres_server: PostgresServer, postgres_url: str) -> None:
    server = postgres_server
    assert "Create it: createdb" in failure(server.url_of("nowhere"))
    assert "does not accept this user" in failure(server.url_of("postgres", "nobody:secret"))
    assert "does not use TLS" in failure(f"{postgres_url}?sslmode=require&password=secret")
    assert "connection refused" in failure(f"postgresql://a:secret@127.0.0.1:{free_port()}/x")
    unknown = failure(f"{postgres_url}?connect_timeout=3&pasword=secret")
    assert "connect_timeout=3&pasword=***" in unknown
    assert unknown.endswith("does not have: pasword. Check its spelling.")
    assert "is invalid" in failure(f"{postgres_url}?secret")
    assert "no history of celtop yet" in failure(postgres_url, read_only=True)


def test_missing_permissions(postgres_server: PostgresServer, postgres_url: str) -> None:
    database = postgres_url.rpartition("/")[2]
    postgres_server.run("CREATE ROLE viewer LOGIN")
    viewer = postgres_server.url_of(database, "viewer")
    try:
        assert "CREATE SCHEMA celtop AUTHORIZATION" in failure(viewer)
        PostgresStore(postgres_url).close()
        assert "GRANT USAGE ON SCHEMA" in failure(viewer, read_only=True)
        postgres_server.run("GRANT USAGE ON SCHEMA celtop TO viewer", postgres_url)
        postgres_server.run("GRANT SELECT ON ALL TABLES IN SCHEMA celtop TO viewer", postgres_url)
        reader = PostgresStore(viewer, read_only=True)
        assert reader.clusters() == []
        reader.close()
    finally:
        postgres_server.run("DROP OWNED BY viewer", postgres_url)
        postgres_server.run("DROP ROLE viewer")
