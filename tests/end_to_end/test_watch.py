"""`celtop watch` with real workers: its output and its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celtop.tests.cli.conftest import CELTOP
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.operation_commands import ALONE, Cluster, logged
from celtop.tests.servers import CeleryWorker, RedisServer, clean_environment, until
from celtop.tests.terminal import Terminal

Send = Callable[..., str]
StartWatched = Callable[..., CeleryWorker]

PERCENT = re.compile(r"(\d+) %")


@pytest.fixture
def start(start_worker: StartWorker, cluster: Cluster) -> StartWatched:
    """Start a worker of `watched.py` with results on the same Redis."""

    def begin(results: str | None = "same", **options: Any) -> CeleryWorker:
        backend = cluster.url if results == "same" else results
        conf = {"result_backend": backend, "task_track_started": True}
        return start_worker(cluster.url, app="watched", options=ALONE, conf=conf, **options)

    return begin


def percents(text: str) -> list[int]:
    return [int(found) for found in PERCENT.findall(text)]


def begin(cluster: Cluster, *words: str) -> subprocess.Popen[str]:
    """Start a command without waiting for its end."""
    return subprocess.Popen(
        (*CELTOP, "-b", cluster.url, *words),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cluster.env,
    )  # fmt: skip


@pytest.mark.slow
def test_a_running_task_is_shown_line_by_line_and_its_result_is_json(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    worker = start()
    id_ = send(cluster.url, "watched.climb", 12, 1.0)
    logged(worker, "received")
    ended = cluster.run("watch", id_)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"height": 8848, "at": "the äußerst top"}
    lines = [line for line in ended.stderr.splitlines() if "CLIMBING" in line]
    assert all("watched.climb" in line for line in lines)
    seen = percents("\n".join(lines))
    assert len(seen) >= 3
    assert seen == sorted(seen)
    assert "step 11" in ended.stderr
    assert "\x1b" not in ended.stderr


@pytest.mark.slow
def test_a_task_that_has_already_finished(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    worker = start()
    done, failed = send(cluster.url, "watched.climb", 0), send(cluster.url, "watched.fall", 0)
    logged(worker, "succeeded")
    logged(worker, "raised unexpected")
    ended = cluster.run("watch", done)
    assert (ended.returncode, json.loads(ended.stdout)["height"]) == (0, 8848)
    ended = cluster.run("watch", failed)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "OSError" in ended.stderr
    assert "\x1b" not in ended.stderr


@pytest.mark.slow
def test_a_waiting_task_is_followed_from_the_queue_to_its_end(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    id_ = send(cluster.url, "watched.climb", 2, 0.3, queue="mountain")
    watching = begin(cluster, "-Q", "mountain", "watch", id_, "--timeout", "40")
    assert watching.stderr is not None
    line = watching.stderr.readline()
    assert "PENDING  watched.climb  waiting in mountain" in line
    start(queues=["mountain"])
    out, err = watching.communicate(timeout=40)
    assert watching.returncode == 0, err
    assert json.loads(out)["height"] == 8848


@pytest.mark.slow
def test_an_unknown_task_is_waited_for_unless_no_wait_is_given(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    start()
    ended = cluster.run("watch", "no-such-task", "--no-wait")
    assert ended.returncode == 1
    assert "Task no-such-task not found" in ended.stderr
    assert "not on w1@test" in ended.stderr
    assert "no result" in ended.stderr
    watching = begin(cluster, "watch", "yet-to-come", "--timeout", "40")
    assert watching.stderr is not None
    until(lambda: "Waiting for the task to appear" in watching.stderr.readline())  # type: ignore[union-attr]
    send(cluster.url, "watched.climb", 1, 0.2, task_id="yet-to-come")
    out, err = watching.communicate(timeout=40)
    assert watching.returncode == 0, err
    assert json.loads(out)["height"] == 8848


@pytest.mark.slow
def test_a_retry_is_shown_and_is_not_the_end(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    start()
    id_ = send(cluster.url, "watched.slip", 2, 4.0)
    ended = cluster.run("watch", id_, "--timeout", "40")
    assert (ended.returncode, json.loads(ended.stdout)) == (0, "dry")
    assert "RETRY" in ended.stderr
    assert "wet" in ended.stderr


@pytest.mark.slow
def test_a_timeout_and_a_revoked_task(cluster: Cluster, start: StartWatched, send: Send) -> None:
    worker = start(concurrency=1)
    running = send(cluster.url, "watched.climb", 40, 0.3)
    later = send(cluster.url, "watched.climb", 1, countdown=15)
    logged(worker, "received", 2)
    ended = cluster.run("watch", running, "--timeout", "1.5")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "has not finished" in ended.stderr
    watching = begin(cluster, "watch", later, "--timeout", "60")
    cluster.run_confirmed("revoke", later)
    _, err = watching.communicate(timeout=60)
    assert watching.returncode == 1, err
    assert "REVOKED" in err


@pytest.mark.slow
def test_without_a_result_backend_events_are_used(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    worker = start(results=None)
    id_ = send(cluster.url, "watched.slip", 0, countdown=6)
    logged(worker, "received")
    ended = cluster.run("watch", id_, "--timeout", "40")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == "'dry'"
    assert "from the task's event" in ended.stderr


@pytest.mark.slow
def test_a_lost_broker_is_waited_for_until_the_timeout(
    own_redis: RedisServer, tmp_path: Path, send: Send
) -> None:
    url = own_redis.url()
    cluster = Cluster(url, tmp_path)
    send(url, "watched.climb", task_id="waits")
    watching = begin(cluster, "watch", "waits", "--timeout", "16")
    assert watching.stderr is not None
    assert "PENDING" in watching.stderr.readline()
    own_redis.kill()
    assert watching.stderr.readline() == "celtop: Lost the connection to the broker; reconnecting\n"
    own_redis.start()
    assert "celtop: Connected to the broker again\n" in iter(watching.stderr.readline, "")
    own_redis.kill()
    _, err = watching.communicate(timeout=40)
    assert watching.returncode == 3, err
    assert "Lost the connection to the broker; reconnecting" in err
    assert "Cannot use the broker" in err
    cluster.app.close()


@pytest.mark.slow
def test_on_a_terminal_there_is_one_line_with_a_bar(
    cluster: Cluster, start: StartWatched, send: Send
) -> None:
    worker = start()
    id_ = send(cluster.url, "watched.climb", 14, 0.4)
    logged(worker, "received")
    command = (*CELTOP, "-b", cluster.url, "watch", id_)
    with Terminal(command, columns=100, rows=12, env=clean_environment()) as terminal:
        drawn: list[str] = []

        def seen() -> bool:
            lines = [line.rstrip() for line in terminal.screen.display if line.strip()]
            if lines and "CLIMBING" in lines[0]:
                assert len(lines) == 1, lines
                if not drawn or drawn[-1] != lines[0]:
                    drawn.append(lines[0])
            return terminal.process.poll() is not None

        until(seen, 40)
        assert terminal.process.returncode == 0
        bars = [line.count("█") for line in drawn]
        assert len(set(bars)) >= 3
        assert bars == sorted(bars)
        assert any("left" in line for line in drawn)
        assert any("step" in line for line in drawn)
        shown = "\n".join(terminal.screen.display)
        assert '{"height": 8848' in shown
        assert "SUCCESS" in shown


@pytest.mark.slow
def test_over_rabbitmq_with_the_rpc_backend(
    amqp_url: str, tmp_path: Path, start_worker: StartWorker, send: Send
) -> None:
    cluster = Cluster(amqp_url, tmp_path)
    conf = {"result_backend": "rpc://"}
    worker = start_worker(amqp_url, app="watched", options=ALONE, conf=conf)
    id_ = send(amqp_url, "watched.slip", 1, 10)
    logged(worker, "Retry in")
    watching = begin(cluster, "watch", id_, "--timeout", "40")
    found = json.loads(cluster.run("task", id_, "--json").stdout)
    looked = {one["place"]: one for one in found["looked"]}
    assert looked["queues"]["found"] is None
    assert looked["backend"]["found"] is None
    assert "rpc" in looked["backend"]["text"]
    out, err = watching.communicate(timeout=40)
    assert watching.returncode == 0, err
    assert json.loads(out) == "'dry'"
    cluster.app.close()
