"""`celtop demo`: one command, a real cluster, and nothing left afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from celtop.tests.cli.conftest import CELTOP, celtop, error_text
from celtop.tests.servers import clean_environment, until
from celtop.tests.terminal import Terminal

# The demo must ignore the configuration of the caller's own Celery.
MISLEADING = {
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "CELERY_RESULT_BACKEND": "redis://127.0.0.1:1/0",
    "CELTOP_BROKER_URL": "redis://127.0.0.1:1/0",
    "CELTOP_CONFIG": "/nonexistent.toml",
    "BROKER_URL": "redis://127.0.0.1:1/0",
    "DJANGO_SETTINGS_MODULE": "no.such.settings",
}


class Demo:
    """A running `celtop demo --no-tui`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        environ = clean_environment(**MISLEADING, TMPDIR=str(directory))
        self.process = subprocess.Popen(
            (*CELTOP, "demo", "--no-tui"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.client: Any = redis.Redis.from_url(self.url, decode_responses=True)

    def family(self) -> list[psutil.Process]:
        """Return its processes: supervisor, broker, workers, their pools, producer."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def complete(self) -> list[psutil.Process]:
        """Wait until all four workers and their pools run, and return all processes."""
        names = ("web", "geo", "mail", "solo")
        until(lambda: all(" ready." in self.log(name) for name in names), 40, "all are ready")
        return self.family()

    def log(self, name: str) -> str:
        found = list(self.directory.glob(f"celtop-demo-*/{name}.log"))
        return found[0].read_text(errors="replace") if found else ""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    one = Demo(tmp_path)
    family = one.family()
    yield one
    if one.process.poll() is None:
        one.process.terminate()
    one.process.communicate(timeout=20)
    until(lambda: not any(map(alive, family)), what="the fixture's demo has ended")


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_it_runs_real_workers_on_loopback_and_nothing_on_disk(demo: Demo) -> None:
    assert demo.url.startswith("redis://127.0.0.1:")
    assert demo.client.config_get("bind")["bind"] == "127.0.0.1"
    assert demo.client.config_get("save")["save"] == ""
    assert demo.client.config_get("appendonly")["appendonly"] == "no"
    demo.complete()
    snapshot = celtop("-b", demo.url, "snapshot", "--format", "json", "--wait", "3")
    shown = json.loads(snapshot.stdout)
    workers = {worker["name"]: worker for worker in shown["workers"]}
    assert set(workers) == {"web@demo", "geo@demo", "mail@demo", "solo@demo"}
    assert {worker["status"] for worker in workers.values()} == {"online"}
    assert {worker["pool"] for worker in workers.values()} == {"prefork", "threads", "solo"}
    assert workers["solo@demo"]["events_enabled"], "celtop has turned them on"
    queues = {queue["name"]: queue for queue in shown["queues"]}
    assert queues["notifications"]["waiting"] >= 7
    assert queues["notifications"]["consumers"] == []
    progress = [task["progress"] for task in shown["tasks"] if task["progress"]]
    assert any(0 < (one["fraction"] or 0) < 1 and one["text"] for one in progress)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_nothing_is_left_however_it_ends(
    demo: Demo, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    family = demo.complete()
    assert len(family) > 10
    os.kill(demo.process.pid, number)
    assert demo.process.wait(15) == code
    until(lambda: not any(map(alive, family)), what="no process is left")
    until(lambda: not list(tmp_path.glob("celtop-demo-*")), what="no file is left")


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_a_killed_supervisor_leaves_nothing_either(demo: Demo) -> None:
    family = demo.complete()
    [supervisor] = psutil.Process(demo.process.pid).children()
    supervisor.kill()
    until(lambda: not any(map(alive, family)), 30, "no process is left")
    assert demo.process.wait(15) == 1
    assert demo.process.stderr is not None
    assert "unexpectedly" in demo.process.stderr.read()


def test_a_broker_that_does_not_start(tmp_path: Path) -> None:
    """The message names the log file, which exists."""
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho the disk is on fire >&2\nexit 1\n")
    broken.chmod(0o755)
    environ = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    text = error_text(celtop("demo", "--no-tui", env=environ), 2)
    log = Path(text.strip().rpartition(" ")[2])
    assert "the disk is on fire" in log.read_text()


def test_the_demo_refuses_another_broker() -> None:
    assert "-b cannot be used" in error_text(celtop("demo", "--no-tui", "-b", "redis://h"), 2)


def test_quitting_the_screen_ends_the_cluster(tmp_path: Path) -> None:
    environ = {**MISLEADING, "TMPDIR": str(tmp_path)}
    with Terminal((*CELTOP, "demo", "--seed", "5"), env=environ) as terminal:
        terminal.wait_for("web@demo", timeout=30)
        family = psutil.Process(terminal.process.pid).children(recursive=True)
        assert len(family) > 3
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert terminal.restored()
        until(lambda: not any(map(alive, family)), what="no process is left")
    assert not list(tmp_path.glob("celtop-demo-*"))
