"""Searches for stored tasks, page by page."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.history import stored_search
from celtop.cluster.history.stored_history import StoredHistory
from celtop.model.query.language import EVERY_TASK, parse_query
from celtop.tests.cluster.history.read import Read, tasks
from celtop.tests.tui.fake_session import NOW
from celtop.tests.tui.stored import CLUSTER


def test_a_search_for_something_rare_goes_on_until_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.history.sql.task_search.SEARCH_TIME", -1.0)
    monkeypatch.setattr("celtop.history.sql.task_search.SLICE_ROWS", 20)
    monkeypatch.setattr("celtop.history.sql.task_search.MAX_SLICE_ROWS", 20)
    read = Read(tmp_path, *tasks(300, 60, "new"), *tasks(1, 4_000, "rare"))
    search = read.history.search(parse_query("name:rare"), NOW)
    search.more()
    assert (read.taken()[0], search.complete) == (["rare-0"], True)
    assert read.reader.asked > 5


def test_a_cancelled_search_does_not_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celtop.history.sql.task_search.SEARCH_TIME", -1.0)
    monkeypatch.setattr("celtop.history.sql.task_search.SLICE_ROWS", 20)
    monkeypatch.setattr("celtop.history.sql.task_search.MAX_SLICE_ROWS", 20)
    read = Read(tmp_path, *tasks(300, 60, "new"))
    search = read.history.search(parse_query("name:rare"), NOW)
    search.cancel()
    search.more()
    assert read.reader.asked == 1


def test_reads_of_a_cancelled_search_are_not_begun(tmp_path: Path) -> None:
    read = Read(tmp_path)
    asked: list[Future[Any]] = []

    def ask(_: object) -> Future[Any]:
        asked.append(Future())
        return asked[-1]

    read.reader.ask = ask  # type: ignore[method-assign,assignment]
    search = StoredHistory(read.reader, CLUSTER, read.inbox).search(parse_query("name:x"), NOW)
    search.more()
    search.count_matching()
    search.cancel()
    assert [one.cancelled() for one in asked] == [True, True]
    assert (search.loading, search.fault) == (False, "")


def test_tasks_are_counted_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celtop.history.sql.task_search.SEARCH_TIME", -1.0)
    monkeypatch.setattr("celtop.history.sql.task_search.COUNTED_ROWS", 20)
    read = Read(tmp_path, *tasks(50, 4_000, "old"))
    search = read.history.search(EVERY_TASK, NOW)
    search.count_matching()
    assert search.text == "50 stored"
    monkeypatch.setattr(stored_search, "MAX_COUNTS", 2)
    search = read.history.search(EVERY_TASK, NOW)
    search.count_matching()
    assert search.text == "more than 40 stored"
