"""The commands that list something: what they refuse, and how they repeat."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import pytest
from celtop.cli.lists import POLLED
from celtop.cli.main import celtop, run
from celtop.export.schemas import DOCUMENTS
from celtop.lists.listing import LISTINGS
from celtop.tests.cli.conftest import CELTOP
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import clean_environment
from celtop.tui.screens.queues import QueuesScreen
from celtop.tui.screens.schedule import ScheduleScreen
from celtop.tui.screens.workers import WorkersScreen

NOWHERE = ("-b", "redis://127.0.0.1:1/0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("workers", "--columns", "status,colour"), "Unknown column 'colour' in --columns; use st"),
        (("workers", "--columns", ","), "Unknown column '' in --columns; use status, name"),
        (("queues", "--sort", "trend"), "Unknown column 'trend' in --sort; use name, status"),
        (("queues", "--sort", "name:"), "Invalid --sort 'name:': use :asc or :desc"),
        (("queues", "--sort", "name:up"), "Invalid --sort 'name:up': use :asc or :desc"),
        (("tasks", "state:"), "Invalid filter"),
        (
            ("types", "--watch", "--format", "html"),
            "--watch cannot repeat html on stdout; use text",
        ),
    ],
)
def test_usage_errors_come_before_any_connection(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*NOWHERE, *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


@pytest.mark.parametrize("name", LISTINGS)
def test_the_schema_needs_no_broker(name: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run([name, "--schema"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["title"] == f"celtop {name}"
    assert name in DOCUMENTS


def test_the_shell_completes_columns() -> None:
    command = celtop.commands["queues"]
    options = {one.name: one for one in command.params}
    ctx = click.Context(command)

    def completed(option: str, incomplete: str) -> list[str]:
        return [one.value for one in options[option].shell_complete(ctx, incomplete)]

    assert completed("columns", "name,sl") == ["name,slots"]
    assert completed("columns", "tre") == ["trend"]
    assert completed("sort", "tre") == [], "it cannot be sorted by"


@contextmanager
def watching(url: str) -> Iterator[subprocess.Popen[str]]:
    words = ("workers", "--watch", "--interval", "100ms", "--wait", "0", "--format", "ndjson")
    with subprocess.Popen(
        (*CELTOP, "-b", url, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL, text=True, env=clean_environment(XDG_CONFIG_HOME="/nonexistent"),
    ) as running:  # fmt: skip
        assert running.stdout is not None
        for _ in range(2):
            assert json.loads(running.stdout.readline())["status"] == "online"
        yield running


def test_a_pipe_gets_one_list_after_the_other(redis_url: str, start_worker: StartWorker) -> None:
    start_worker(redis_url)
    with watching(redis_url) as running:
        running.send_signal(signal.SIGINT)
        assert running.wait(15) == 130
    with watching(redis_url) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        assert running.wait(15) == 0
        assert running.stderr.read() == ""


@pytest.mark.parametrize(
    ("name", "screen"),
    [("workers", WorkersScreen), ("queues", QueuesScreen), ("schedule", ScheduleScreen)],
)
def test_a_watched_list_polls_what_its_screen_polls(name: str, screen: Any) -> None:
    assert POLLED[name] == screen.topics.fget(None)
