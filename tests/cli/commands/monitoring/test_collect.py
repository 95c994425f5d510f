from __future__ import annotations

from pathlib import Path

from celtop.tests.cli.conftest import celtop


def test_a_broker_that_cannot_exist_ends_it(tmp_path: Path) -> None:
    history = str(tmp_path / "history.sqlite3")
    ended = celtop("-b", "nosuch://host", "--history", history, "collect")
    assert ended.returncode == 2
    assert "Cannot use the broker nosuch://host" in ended.stderr
    assert "Traceback" not in ended.stderr
