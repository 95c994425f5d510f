"""celtop as users start it: a command, with or without a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.operation_commands import Cluster, start_obedient
from celtop.tests.servers import clean_environment
from celtop.tests.terminal import Terminal

CELTOP = (sys.executable, "-m", "celtop")

OpenTui = Callable[..., Terminal]


@pytest.fixture
def tui() -> Iterator[OpenTui]:
    """`tui(url, "--ascii", columns=80, rows=24)`: celtop on a screen, ended with the test."""
    opened: list[Terminal] = []

    def start(url: str, *flags: str, **terminal_options: Any) -> Terminal:
        terminal = Terminal((*CELTOP, "-b", url, *flags), **terminal_options)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


@pytest.fixture
def cluster(redis_url: str, tmp_path: Path) -> Iterator[Cluster]:
    """A broker, and celtop on it from the command line."""
    one = Cluster(redis_url, tmp_path)
    yield one
    one.app.close()


@pytest.fixture
def start(start_worker: StartWorker, cluster: Cluster) -> StartWorker:
    """`start(name="w1", pool="prefork")`: a worker of `obedient.py` on the cluster."""
    return lambda **options: start_obedient(start_worker, cluster, **options)


@pytest.fixture
def start_snapshot() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`start_snapshot(url, wait=8)`: `celtop snapshot --format json`, running."""
    started: list[subprocess.Popen[str]] = []

    def start(url: str, *flags: str, wait: float = 2.0) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            (*CELTOP, "-b", url, "snapshot", "--format", "json", "--wait", str(wait), *flags),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def printed(process: subprocess.Popen[str], timeout: float = 40.0) -> dict[str, Any]:
    """Return the object that a snapshot printed."""
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found
