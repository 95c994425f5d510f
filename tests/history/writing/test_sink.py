from __future__ import annotations

from pathlib import Path

from celtop.history.sqlite.store import SqliteStore
from celtop.history.writing.sink import SAMPLING_PAUSE, HistorySink
from celtop.history.writing.writer import Retention
from celtop.model.query.language import EVERY_TASK
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, Script, decode_fields


def succeed(state: ClusterState, ids: range) -> None:
    """Apply the events of tasks that succeed at once."""
    scripts = [Script(f"t{number}").received().started().succeeded() for number in ids]
    state.observe(decode_fields([one for each in scripts for one in each.events]))


def test_changes_are_written_up_to_the_end(tmp_path: Path) -> None:
    path, state = tmp_path / "history.sqlite3", ClusterState()
    sink = HistorySink(str(path), "shop", "me", Retention(max_age=1e12), lambda *_: None)
    sink.start()
    succeed(state, range(3))
    sink.update(state, state.take_changes(), NOW)
    succeed(state, range(3, 5))
    sink.update(state, state.take_changes(), NOW + 0.2)  # too early for a batch
    succeed(state, range(5, 6))
    sink.stop(NOW + 0.4)
    sink.thread.join(10)
    store = SqliteStore(path, read_only=True)
    found = store.tasks("shop", EVERY_TASK, NOW, 10).tasks
    assert sorted(one.id for one in found) == ["t0", "t1", "t2", "t3", "t4", "t5"]
    assert store.gaps("shop", NOW - 9, NOW + 0.4) == []
    store.close()


def test_sampling_is_reported_once(tmp_path: Path) -> None:
    reports: list[str] = []
    state = ClusterState()
    sink = HistorySink(
        str(tmp_path / "history.sqlite3"),
        "shop",
        "me",
        Retention(),
        lambda _level, text, _problem: reports.append(text),
        max_successes=10,
    )
    for second, count in enumerate((0, 30, 0, 0, 0, 30, 0, 0)):
        succeed(state, range(100 * second, 100 * second + count))
        sink.update(state, state.take_changes(), NOW + second)
    assert len(reports) == 1
    assert "1 of 4 is stored" in reports[0]
    sink.update(state, state.take_changes(), NOW + 10 + SAMPLING_PAUSE)
    assert reports[1:] == ["All successful tasks are stored again"]
