"""`celtop tail`: which events are printed, and when it ends."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
from celtop.cli.commands.show.tail import FaultOfHistory
from celtop.cli.main import run
from celtop.cli.tail import Tail
from celtop.cluster.session import Session
from celtop.history.rows import Batch, Run
from celtop.history.sqlite.store import SqliteStore
from celtop.model.entities.fault import Fault
from celtop.model.entities.task import Task
from celtop.model.observations import EventsDropped, HistoryRead, QuestionsFailed
from celtop.model.query.language import parse_query
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.settings import load_settings
from celtop.tests.cli.conftest import CELTOP
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer, clean_environment, until

NOW = 1_790_000_000.0


def batch(*types: str) -> EventBatch:
    events = (Event(type_, "w1@a", NOW, uuid="1" if "task" in type_ else None) for type_ in types)
    return EventBatch(tuple(events), NOW)


def printed(
    capfd: pytest.CaptureFixture[str],
    *batches: EventBatch,
    query: str = "",
    count: int | None = None,
) -> tuple[list[str], bool]:
    """Return the types of the printed events, and whether these were all."""
    state = ClusterState()
    tail = Tail(state, parse_query(query) if query else None, count, format_name="ndjson", utc=True)
    for each in batches:
        state.observe(each)
        tail.take(NOW, each)
    over = tail.write()
    lines = capfd.readouterr().out.splitlines()
    return [json.loads(line)["type"] for line in lines], over


def test_heartbeats_are_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    events = batch("worker-online", "worker-heartbeat", "task-started")
    assert printed(capfd, events) == (["worker-online", "task-started"], False)


def test_a_filter_selects_events_of_tasks(capfd: pytest.CaptureFixture[str]) -> None:
    batches = (batch("worker-online", "task-started"), batch("task-failed"))
    assert printed(capfd, *batches, query="state:failure") == (["task-failed"], False)


def test_it_ends_after_a_number_of_events(capfd: pytest.CaptureFixture[str]) -> None:
    batches = (batch("task-received", "task-started"), batch("task-succeeded"))
    assert printed(capfd, *batches, count=1) == (["task-received"], True)


def test_lost_events_are_reported(capfd: pytest.CaptureFixture[str]) -> None:
    Tail(ClusterState(), None, None, format_name="text", utc=True).take(
        NOW, EventsDropped(0, 1204, NOW)
    )
    assert capfd.readouterr().err == "celtop: 1,204 events were lost: they arrived too fast\n"


@pytest.mark.parametrize("end", ["soon", "2020-01-01T00:00"])
def test_an_end_that_is_none(end: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-b", "redis://127.0.0.1:1/0", "tail", "--until", end]) == 2
    assert f"Invalid --until '{end}'" in capsys.readouterr().err


def test_events_of_a_real_worker(
    redis_server: RedisServer, redis_url: str, start_worker: StartWorker
) -> None:
    before = int(redis_server.client().pubsub_numpat())
    with subprocess.Popen(
        (*CELTOP, "-b", redis_url, "tail", "--count", "1", "--until", "60s"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=clean_environment(XDG_CONFIG_HOME="/nonexistent"),
    ) as running:  # fmt: skip
        until(lambda: int(redis_server.client().pubsub_numpat()) > before, what="it listens")
        worker = start_worker(redis_url)
        out, err = running.communicate(timeout=70)
    assert (running.returncode, err) == (0, "")
    (event,) = map(json.loads, out.splitlines())
    assert (event["type"], event["host"]) == ("worker-online", worker.name)


def test_a_filter_sees_the_task_as_it_was_after_each_event_of_a_batch(
    capfd: pytest.CaptureFixture[str],
) -> None:
    events = batch("task-received", "task-started", "task-failed")
    assert printed(capfd, events, query="state:failure")[0] == ["task-failed"]
    assert printed(capfd, events, query="state:started")[0] == ["task-started"]


def test_csv_has_one_header(capfd: pytest.CaptureFixture[str]) -> None:
    state = ClusterState()
    tail = Tail(state, None, None, format_name="csv", utc=True)
    for each in (batch("worker-online"), batch("task-started", "task-succeeded")):
        state.observe(each)
        tail.take(NOW, each)
        tail.write()
    rows = list(csv.DictReader(capfd.readouterr().out.splitlines()))
    assert [(row["type"], row["id"]) for row in rows] == [
        ("worker-online", ""),
        ("task-started", "1"),
        ("task-succeeded", "1"),
    ]


def test_what_a_collector_has_stored(capfd: pytest.CaptureFixture[str]) -> None:
    state = ClusterState()
    tail = Tail(state, parse_query("!state:success"), None, format_name="ndjson", utc=True)
    states = ("SUCCESS", "FAILURE", "REVOKED", "STARTED", "PROGRESS")
    tasks = tuple(Task(one.lower(), name="a", worker="w@1", state=one) for one in states)
    for read in (HistoryRead(tasks, NOW, unfinished=True), HistoryRead(tasks, NOW, live=True)):
        state.observe(read)
        tail.take_stored(NOW, read)
    tail.take_stored(NOW, batch("worker-offline"))
    tail.write()
    found = map(json.loads, capfd.readouterr().out.splitlines())
    assert [(one["type"], one["state"], one["host"]) for one in found] == [
        ("task-failed", "FAILURE", "w@1"),
        ("task-revoked", "REVOKED", "w@1"),
        ("task-started", "STARTED", "w@1"),
        ("task-progress", "PROGRESS", "w@1"),
    ]


def test_a_history_needs_no_broker(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history.sqlite3"
    store = SqliteStore(path)
    store.write(Batch(runs=(Run("shop", "h:1", NOW, NOW),)))
    store.close()
    words = ["--from-history", str(path), "--cluster", "shop", "tail"]
    assert run([*words, "--until", "0.1s", "--count", "1"]) == 4
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_the_history_is_reported_once(capfd: pytest.CaptureFixture[str]) -> None:
    session = Session(load_settings({"cluster": "shop"}, {}))
    check = FaultOfHistory(session)
    silent = Fault("history", "No collector has written it", "Start one")
    session.state.observe(QuestionsFailed("cluster", ("history",), NOW, silent))
    check()
    check()
    assert capfd.readouterr().err == "celtop: No collector has written it. Start one\n"
