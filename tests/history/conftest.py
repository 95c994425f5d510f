from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celtop.history.sqlite import SqliteStore
from celtop.history.store import HistoryStore


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HistoryStore]:
    """An empty store of each kind."""
    opened = SqliteStore(tmp_path / "history" / "history.sqlite3")
    yield opened
    opened.close()
