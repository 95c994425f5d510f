"""What commands read from the history, without a broker."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from celtop.cli.main import run
from celtop.cli.stored import offline_session, stored_task, with_stored
from celtop.export.schemas import schema
from celtop.history.rows import Batch, Rollup, Run, StoredObservation
from celtop.history.sqlite.store import SqliteStore
from celtop.model.ingest.redaction import Redaction
from celtop.model.lookup import TaskLookup
from celtop.model.observations import ScheduleRead
from celtop.model.records.record import encode_record
from celtop.settings import Settings
from celtop.tests.history.rows import NOW, row
from celtop.tests.model.schedules import entry
from celtop.tests.servers import free_port
from jsonschema import Draft202012Validator


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history of the cluster `shop`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "history.sqlite3"
    store = SqliteStore(path)
    failed = row("3fa2", state="FAILURE", exception="ValueError('x')", args="(1,)")
    began = Run("shop", "h:1", NOW - 60, NOW)
    sampled = Rollup("shop", "cluster", "", int(NOW // 60), {"share": 0.25})
    store.write(
        Batch(
            tasks=(row("3fa1"), failed, row("other", cluster="billing")),
            rollups=(sampled,),
            runs=(began,),
        )
    )
    store.close()
    monkeypatch.setenv("CELTOP_HISTORY", str(path))
    monkeypatch.setenv("CELTOP_HISTORY_MAX_AGE", str(time.time() - NOW + 86_400))
    return path


@pytest.fixture
def recorded(history: Path) -> Path:
    """That history with a worker, a queue and a task type."""
    minute = int(NOW // 60)
    nightly = ScheduleRead("file", NOW, (entry("nightly"),))
    read = encode_record(NOW, nightly, Redaction())
    store = SqliteStore(history)
    store.write(
        Batch(
            rollups=(
                Rollup("shop", "worker", "web@1", minute, {"busy": 1.0}),
                Rollup("shop", "queue", "mail", minute, {"waiting": 7.0}),
                Rollup("shop", "type", "shop.bill", minute, {"n_failed": 1.0}),
            ),
            observations=(StoredObservation("shop", "schedule file", NOW, read.decode()),),
        )
    )
    store.close()
    return history


@pytest.mark.usefixtures("history")
def test_tasks_of_a_cluster_without_a_broker(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["--cluster", "shop", "tasks", "state:failure", "--format", "json"]) == 0
    found = json.loads(capfdbinary.readouterr().out)
    assert [one["id"] for one in found["tasks"]] == ["3fa2"]
    assert found["tasks"][0]["sources"] == ["history"]
    assert found["tasks"][0]["args"] == "(1,)"


def test_a_limit_counts_what_is_listed(
    history: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Unfinished tasks are not listed, and an older one may be the first by another order."""
    monkeypatch.setattr("celtop.cli.stored.MAX_PAGE", 2)
    store = SqliteStore(history)
    unfinished = (row(f"tu{n}", n, state="STARTED", finished_at=None) for n in range(3))
    finished = (row(f"t{n}", 99 - n, started_at=NOW - 110 + 2 * n) for n in range(5))
    older = (row(f"told{n}", 1_000) for n in range(3))
    store.write(Batch(tasks=(*unfinished, *finished, *older)))
    store.close()

    def listed(*options: str) -> list[str]:
        assert run(["--cluster", "shop", "tasks", "id:t", "--limit", "2", "--format", "ndjson",
                    *options]) == 0  # fmt: skip
        found = capfdbinary.readouterr()
        loaded.append(found.err.decode().partition("ago\n")[2])
        return [json.loads(line)["id"] for line in found.out.splitlines()]

    loaded: list[str] = []
    assert listed() == ["t4", "t3"]
    assert listed("--sort", "runtime") == ["t0", "t1"]
    assert loaded == ["celtop: Tasks in the history: 8 of 11 loaded\n", ""]


def test_matching_counts_all_that_is_stored(
    history: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("celtop.cli.stored.MAX_PAGE", 10)
    store = SqliteStore(history)
    store.write(Batch(tasks=tuple(row(f"t{number}", number) for number in range(60))))
    store.close()
    command = ["--cluster", "shop", "tasks", "id:t", "--limit", "5", "--format"]

    def listed(format_name: str) -> str:
        assert run([*command, format_name]) == 0
        return capfdbinary.readouterr().out.decode()

    found = json.loads(listed("json"))
    assert (len(found["tasks"]), found["matching"]) == (5, 60)
    assert "... and 55 more" in listed("text")
    monkeypatch.setattr("celtop.history.sql.task_search.SEARCH_TIME", -1.0)
    monkeypatch.setattr("celtop.history.sql.task_search.SLICE_ROWS", 20)
    monkeypatch.setattr("celtop.cli.stored.MAX_COUNT_SECONDS", -1.0)
    found = json.loads(listed("json"))
    least = found["matching"]
    assert 5 < least < 60
    text = f"at least {least} match: counting them in the history took too long"
    assert found["notes"][-1]["text"] == text


@pytest.mark.usefixtures("history")
def test_one_task_without_a_broker(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["--cluster", "shop", "task", "3fa2", "--json"]) == 0
    found = json.loads(capfdbinary.readouterr().out)
    assert (found["id"], found["task"]["state"]) == ("3fa2", "FAILURE")
    assert [(one["place"], one["found"]) for one in found["looked"]] == [("history", True)]
    assert run(["--cluster", "shop", "task", "none", "--json"]) == 1
    found = json.loads(capfdbinary.readouterr().out)
    assert [(one["place"], one["found"]) for one in found["looked"]] == [("history", False)]


def test_a_history_that_cannot_be_read_is_not_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "history.sqlite3"
    path.write_bytes(b"no database" * 100)
    settings = Settings(history=str(path), cluster="shop")
    task, fault = stored_task(offline_session(settings), "3fa2")
    (place,) = with_stored(TaskLookup("3fa2", NOW, (), ()), task, fault, settings).places
    assert (place.place, place.found) == ("history", None)
    assert str(path) in place.text
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("workers", "status", ["online"]),
        ("queues", "waiting", [7]),
        ("types", "failed", [1]),
        ("failures", "count", [1]),
        ("schedule", "status", ["scheduled"]),
    ],
)
@pytest.mark.usefixtures("recorded")
def test_lists_of_the_history(
    name: str, field: str, values: list[object], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["--cluster", "shop", name, "--format", "json"]) == 0
    ended = capfdbinary.readouterr()
    document = json.loads(ended.out)
    Draft202012Validator(json.loads(schema(name))).validate(document)
    rows = document["entries" if name == "schedule" else name]
    assert [one[field] for one in rows] == values
    assert "not connected: this is from the history" in str(document["notes"])
    assert b"Not connected to a broker. This is from the history, last written" in ended.err


def test_a_snapshot_of_the_history(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.delenv("CELTOP_HISTORY")
    words = ["--from-history", str(recorded), "--cluster", "shop", "snapshot", "--format", "json"]
    assert run(words) == 0
    snapshot = json.loads(capfdbinary.readouterr().out)
    Draft202012Validator(json.loads(schema("snapshot"))).validate(snapshot)
    assert [one["name"] for one in snapshot["workers"]] == ["web@1"]
    assert [one["id"] for one in snapshot["tasks"]] == ["3fa1", "3fa2"]
    assert run([*words, "--filter", "state:failure"]) == 0
    assert [one["id"] for one in json.loads(capfdbinary.readouterr().out)["tasks"]] == ["3fa2"]


@pytest.mark.parametrize("words", [("workers",), ("queues",), ("snapshot",), ("schedule",)])
@pytest.mark.usefixtures("recorded")
def test_recorded_values_are_no_gauges(
    words: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["--cluster", "shop", *words, "--format", "prometheus"]) == 2
    assert "gauges of recorded values would be stale" in capfd.readouterr().err


def test_the_cluster_of_a_history_has_to_be_named(
    history: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["--from-history", str(history), "tasks"]) == 2
    expected = "Name the cluster with --cluster NAME. The history has: billing, shop"
    assert expected in capfd.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("--cluster", "nope", "tasks"), ("tasks",), ("--cluster", "shop", "tail")]
)
@pytest.mark.usefixtures("history")
def test_anything_else_needs_a_broker(
    arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert "No broker URL" in capfd.readouterr().err


@pytest.mark.usefixtures("history")
def test_a_cluster_that_the_history_does_not_have(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--cluster", "nope", "tasks"]) == 2
    lines = capfd.readouterr().err
    assert "The history has no cluster 'nope'. It has: billing, shop" in lines
    assert "read the history of" not in lines


def test_a_named_history_that_does_not_exist(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "none.sqlite3")
    assert run(["--from-history", path, "--cluster", "shop", "tasks"]) == 2
    error = capfd.readouterr().err
    assert f"No history at {path}" in error and "No broker URL" not in error


@pytest.mark.parametrize(
    ("option", "cluster"),
    [("--history", ["--cluster", "shop"]), ("--from-history", ["--cluster", "shop"]),
     ("--from-history", [])],
)  # fmt: skip
def test_a_history_that_is_needed_and_not_reached(
    option: str, cluster: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"postgresql://127.0.0.1:{free_port()}/celtop"
    assert run([option, url, *cluster, "tasks"]) == 3
    error = capfd.readouterr().err
    assert "connection refused" in error and len(error.splitlines()) == 1


@pytest.mark.usefixtures("history")
def test_tasks_of_a_cluster_whose_broker_is_down(capfd: pytest.CaptureFixture[str]) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    assert run(["--cluster", "shop", "-b", url, "tasks", "--wait", "0"]) == 3
    ended = capfd.readouterr()
    assert "3fa2" in ended.out
    assert "Cannot use the broker" in ended.err
    assert "This is from the history, last written" in ended.err


@pytest.mark.usefixtures("history")
def test_without_the_history_there_is_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--cluster", "shop", "--no-history", "tasks"]) == 2
    assert "No broker URL" in capfd.readouterr().err


def test_the_state_of_the_history(history: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["history", "--json"]) == 0
    found = json.loads(capfdbinary.readouterr().out)
    assert found["schema"] == "celtop.history/1"
    assert found["location"] == str(history)
    assert [(one["name"], one["tasks"]) for one in found["clusters"]] == [
        ("billing", 1),
        ("shop", 2),
    ]
    assert run(["history", "--cluster", "shop"]) == 0
    text = capfdbinary.readouterr().out.decode()
    assert "tasks    2" in text
    assert "sampled  1 min, down to 25 % of the successes" in text
    assert "billing" not in text
    history.unlink()
    assert run(["history"]) == 1
