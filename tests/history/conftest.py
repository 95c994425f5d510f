from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celtop.history.postgresql import PostgresStore
from celtop.history.schema import TABLES
from celtop.history.sqlite import SqliteStore
from celtop.history.store import HistoryStore
from celtop.tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def shared_database(postgres_server: PostgresServer) -> str:
    """The URL of a database that tests leave empty: creating one for each takes long."""
    return postgres_server.next_url()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HistoryStore]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        file = SqliteStore(tmp_path / "history" / "history.sqlite3")
        yield file
        file.close()
        return
    url = request.getfixturevalue("shared_database")
    database = PostgresStore(url)
    yield database
    database.close()
    server: PostgresServer = request.getfixturevalue("postgres_server")
    tables = ("clusters", *(table.name for table in TABLES))
    server.run(";".join(f"DELETE FROM celtop.{name}" for name in tables), url)
