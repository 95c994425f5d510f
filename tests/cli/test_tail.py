"""`celtop tail`: which events are printed, and when it ends."""

from __future__ import annotations

import json
import subprocess

import pytest
from celtop.cli.main import run
from celtop.cli.tail import Tail
from celtop.model.observations import EventsDropped
from celtop.model.query.language import parse_query
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
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
    tail = Tail(state, parse_query(query) if query else None, count, text=False, utc=True)
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
    Tail(ClusterState(), None, None, text=True, utc=True).take(NOW, EventsDropped(0, 1204, NOW))
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
