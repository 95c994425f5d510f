from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celtop.history.open import open_store
from celtop.history.sql.schema import TABLES
from celtop.history.store import HistoryStore
from celtop.tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def shared_database(postgres_server: PostgresServer) -> str:
    """The URL of a database that tests leave empty: creating one for each takes long."""
    url = postgres_server.next_url()
    open_store(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A setting `history` that names an empty store, of each kind."""
    if request.param == "sqlite":
        yield str(tmp_path / "history" / "history.sqlite3")
        return
    url = request.getfixturevalue("shared_database")
    yield url
    server: PostgresServer = request.getfixturevalue("postgres_server")
    tables = ("clusters", *(table.name for table in TABLES))
    server.run(";".join(f"DELETE FROM celtop.{name}" for name in tables), url)


@pytest.fixture
def store(location: str) -> Iterator[HistoryStore]:
    """An empty store of each kind."""
    opened = open_store(location)
    yield opened
    opened.close()
