"""What a session reads from the history."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.history import stored_history
from celtop.cluster.history.stored_history import StoredHistory
from celtop.history.rows import MINUTE, Batch, Rollup, Run
from celtop.history.store import NoHistoryError
from celtop.model.observations import FailuresKnown
from celtop.model.query.language import EVERY_TASK, parse_query
from celtop.tests.cluster.history.read import Read, tasks
from celtop.tests.tui.fake_session import NOW
from celtop.tests.tui.stored import CLUSTER
from msgspec import structs


def test_the_last_hour_is_loaded_the_newest_first(tmp_path: Path) -> None:
    read = Read(tmp_path, *tasks(700, 60, "new"), *tasks(5, 4_000, "old"))
    read.history.load_recent(NOW)
    assert read.taken() == ([f"new-{number}" for number in reversed(range(700))], [])
    assert read.history.recent_complete


def test_tasks_of_a_clock_that_was_set_back_since_are_left_out(tmp_path: Path) -> None:
    rows = (*tasks(3, -3_600, "ahead"), *tasks(2, -30, "near"), *tasks(2, 60, "past"))
    read = Read(tmp_path, *rows)
    read.history.load_recent(NOW)
    assert read.taken()[0] == ["near-1", "near-0", "past-1", "past-0"]
    search = read.history.search(parse_query("state:success"), NOW)
    search.count_matching()
    search.more()
    assert search.loaded == 4
    assert search.text == "", "all are loaded"


def test_problems_are_loaded_even_if_many_successes_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_history, "RECENT_TASKS", 10)
    failed = tasks(3, 1_000, "bad", end="failed", exception="E()", traceback="tb")
    read = Read(tmp_path, *failed, *tasks(100, 60, "new"))
    read.history.load_recent(NOW)
    ids, _ = read.taken()
    assert ids == ["bad-2", "bad-1", "bad-0", *(f"new-{number}" for number in range(99, 89, -1))]


def test_a_list_of_all_tasks_goes_on_after_the_last_hour(tmp_path: Path) -> None:
    read = Read(tmp_path, *tasks(3, 60, "new"), *tasks(600, 4_000, "old"))
    read.history.load_recent(NOW)
    read.taken()
    search = read.history.search(EVERY_TASK, NOW)
    search.count_matching()
    search.more(50)
    assert (search.loaded, search.complete) == (53, False)
    assert search.text == "53 of 603 loaded"
    assert read.taken()[0] == [f"old-{number}" for number in range(599, 549, -1)]
    search.more(600)
    assert (search.loaded, search.complete, search.text) == (603, True, "")
    assert not search.can_load


def test_a_list_shows_which_part_of_the_successes_was_stored(tmp_path: Path) -> None:
    new, old = tasks(2, 60, "new"), tasks(3, 4_000, "old")
    read = Read(tmp_path, structs.replace(new[0], sample=0.5), *old)
    read.history.load_recent(NOW)
    search = read.history.search(EVERY_TASK, NOW)
    search.more(1)
    assert search.text == "2 loaded, 1 of 2 successes stored"
    search.more(9)
    assert search.text == "1 of 2 successes stored"
    search = read.history.search(parse_query("name:old"), NOW)
    search.more(9)
    assert search.text == ""


def test_a_history_that_does_not_exist_yet_has_no_tasks(tmp_path: Path) -> None:
    read = Read(tmp_path)

    def fail(*_: object) -> None:
        raise NoHistoryError("nothing yet")

    read.reader.store.tasks = fail  # type: ignore[method-assign,assignment]
    read.history.load_recent(NOW)
    search = read.history.search(parse_query("name:x"), NOW)
    search.more()
    assert read.taken() == ([], [])
    assert (search.complete, search.fault, search.text) == (True, "", "")


def test_a_history_that_cannot_be_read_is_logged_once(tmp_path: Path) -> None:
    read = Read(tmp_path)
    read.reader.store.close()
    read.history.load_recent(NOW)
    _, lines = read.taken()
    assert len(lines) == 1
    assert "Cannot read the history" in lines[0]
    assert read.history.recent_complete
    search = read.history.search(parse_query("name:x"), NOW)
    search.more()
    assert search.fault
    assert not search.can_load


def test_reads_that_are_cancelled_at_the_end_are_no_errors(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Read(tmp_path)

    def cancel(_: object) -> Future[Any]:
        cancelled: Future[Any] = Future()
        cancelled.cancel()
        return cancelled

    history = StoredHistory(read.reader, CLUSTER, read.inbox)
    monkeypatch.setattr(history, "_ask", cancel)
    history.load_recent(NOW)
    search = history.search(parse_query("name:x"), NOW)
    search.more()
    search.count_matching()
    assert not caplog.records


def test_a_task_is_found_by_the_start_of_its_id(tmp_path: Path) -> None:
    read = Read(tmp_path, *tasks(12, 60, "new"))
    assert read.history.find("new-11").result() == ("new-11",)
    assert read.history.find("new-1").result() == ("new-1",), "an exact id comes first"
    assert len(read.history.find("new").result()) == 2
    assert read.history.find("old").result() == ()
    assert set(read.taken()[0]) == {"new-11", "new-1"}


def test_when_failures_began_is_known_from_the_last_day(tmp_path: Path) -> None:
    failed = {"end": "failed", "exception": "E()", "traceback": None}
    old, new = tasks(1, 50_000, "old", **failed), tasks(1, 60, "new", **failed)
    read = Read(tmp_path, *old, *new)
    read.history.load_recent(NOW)
    known = []
    while (one := read.inbox.take()) is not None:
        known += [one] if isinstance(one, FailuresKnown) else []
    [failures] = known
    assert set(failures.first_at) == {old[0].failure, new[0].failure}
    assert failures.first_at[old[0].failure] == old[0].at


def test_since_when_all_failures_were_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = tasks(30, 60, "new", end="failed", exception="E()", traceback=None)
    read = Read(tmp_path, *failed, *tasks(1, 50, "good"))

    def since() -> float | None:
        read.history.load_recent(NOW)
        known = None
        while (one := read.inbox.take()) is not None:
            known = one if isinstance(one, FailuresKnown) else known
        assert known is not None
        return known.since

    assert since() == NOW, "it is unknown whether anything was recorded"
    minute = Rollup(CLUSTER, "cluster", "", int(NOW) // MINUTE - 120, {"active": 1.0})
    read.reader.store.write(Batch(rollups=(minute,)))
    assert since() == NOW - 3_600
    run = Run(CLUSTER, "h:1:1", NOW - 8_000, NOW - 900, NOW - 900)
    read.reader.store.write(Batch(runs=(run,)))
    assert since() == NOW, "nothing was recorded since"
    read.reader.store.write(Batch(runs=(Run(CLUSTER, "h:2:1", NOW - 300, NOW),)))
    assert since() == NOW - 300
    monkeypatch.setattr(stored_history, "RECENT_PROBLEMS", 10)
    assert since() == failed[20].at
