"""`celtop task` with real workers: each fact with its source, without any event."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.operation_commands import ALONE, Cluster, logged
from celtop.tests.servers import CeleryWorker

Send = Callable[..., str]
StartWatched = Callable[..., CeleryWorker]


@pytest.fixture
def start(start_worker: StartWorker, cluster: Cluster) -> StartWatched:
    """Start a worker of `watched.py`, with results on the same Redis."""

    def begin(**options: Any) -> CeleryWorker:
        conf = {"result_backend": cluster.url, "result_extended": True}
        return start_worker(cluster.url, app="watched", options=ALONE, conf=conf, **options)

    return begin


def asked(cluster: Cluster, id_: str, *words: str, code: int = 0) -> dict[str, Any]:
    """Return the JSON printed for a task."""
    ended = cluster.run("--no-enable-events", *words, "task", id_, "--json")
    assert ended.returncode == code, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["schema"] == "celtop.task/1"
    assert found["id"] == id_
    return found


def reported_by(found: dict[str, Any], source: str) -> dict[str, Any]:
    """Return the fields from one source."""
    (fields,) = [one["fields"] for one in found["told_by"] if one["source"].startswith(source)]
    return dict(fields)


def looked(found: dict[str, Any]) -> dict[str, bool | None]:
    return {one["place"]: one["found"] for one in found["looked"]}


@pytest.mark.slow
def test_a_running_task_is_found_at_its_worker_and_in_the_backend(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    worker = start()
    id_ = send(cluster.url, "watched.climb", 60, 0.3)
    logged(worker, "received")
    found = asked(cluster, id_)
    of_worker, of_backend = (
        reported_by(found, "worker w1@test"),
        reported_by(found, "result backend"),
    )
    assert of_worker["name"] == of_backend["name"] == "watched.climb"
    assert (of_worker["state"], of_worker["args"]) == ("STARTED", "(60, 0.3)")
    assert of_worker["worker"] == "w1@test"
    assert of_backend["state"] == "CLIMBING"
    assert of_backend["progress"]["text"].startswith("step")
    assert looked(found) == {
        "history": False, "queues": False, "backend": True, "workers": True,
    }  # fmt: skip
    task = found["task"]
    assert (task["state"], task["worker"], task["queue"]) == ("CLIMBING", "w1@test", "celery")
    assert set(task["sources"]) >= {"inspect", "backend"}
    assert found["result"] is None


@pytest.mark.slow
def test_a_waiting_task_is_found_in_its_queue(cluster: Cluster, send: Send) -> None:
    id_ = send(cluster.url, "watched.climb", 7, queue="mountain", priority=3)
    found = asked(cluster, id_, "-Q", "mountain")
    fields = reported_by(found, "message in queue mountain")
    assert fields["name"] == "watched.climb"
    assert fields["args"] == "(7,)"
    assert fields["queue"] == "mountain"
    assert looked(found)["queues"] is True
    assert looked(found)["workers"] is None, "no worker could be asked"
    assert found["task"]["state"] == "PENDING"


def test_a_shortened_id_stands_for_one_known_task(cluster: Cluster, send: Send) -> None:
    id_ = send(cluster.url, "plain.ok")
    found = cluster.run("--no-enable-events", "task", id_[:8], "--json")
    assert json.loads(found.stdout)["id"] == id_
    unknown = cluster.run("--no-enable-events", "task", "01234567")
    assert unknown.returncode == 1
    assert "No known task id begins with 01234567. Pass the full id" in unknown.stderr


@pytest.mark.slow
def test_a_reserved_task_is_found_in_its_message_and_at_its_worker(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    worker = start()
    id_ = send(cluster.url, "watched.climb", 7, countdown=60)
    logged(worker, "received")
    found = asked(cluster, id_)
    held = reported_by(found, "message held by a worker")
    assert held["args"] == "(7,)"
    assert "state" not in held
    assert reported_by(found, "worker w1@test")["state"] == "RECEIVED"
    assert found["task"]["state"] == "RECEIVED"
    assert found["task"]["eta_at"] is not None


@pytest.mark.slow
def test_a_finished_task_is_found_in_the_backend_with_its_result(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    worker = start()
    done, failed = send(cluster.url, "watched.climb", 0), send(cluster.url, "watched.fall", 0)
    logged(worker, "succeeded")
    logged(worker, "raised unexpected")
    found = asked(cluster, done)
    assert found["result"]["value"] == {"height": 8848, "at": "the äußerst top"}
    assert found["task"]["state"] == reported_by(found, "result backend")["state"] == "SUCCESS"
    ended = cluster.run("--no-enable-events", "task", failed)
    assert ended.returncode == 0
    assert "\x1b" not in ended.stdout
    lines = ended.stdout.splitlines()
    assert lines[0].split() == [failed, "watched.fall", "FAILURE"]
    (exception,) = [line for line in lines if line.strip().startswith("exception")]
    assert "OSError" in exception
    assert exception.endswith("[result backend]")
    assert any("raise OSError" in line for line in lines)
    assert any(line.split()[:2] == ["workers", "not"] for line in lines)


@pytest.mark.slow
def test_an_unknown_task_fails_and_lists_the_places(cluster: Cluster, start: StartWatched) -> None:
    start()
    found = asked(cluster, "no-such-task", code=1)
    assert found["task"] is None
    assert found["told_by"] == []
    assert looked(found) == {
        "history": False, "queues": False, "backend": False, "workers": False,
    }  # fmt: skip


def test_an_impossible_id_is_a_usage_error(cluster: Cluster) -> None:
    assert cluster.run("task", "").returncode == 2
    assert cluster.run("watch", "x" * 5000).returncode == 2
