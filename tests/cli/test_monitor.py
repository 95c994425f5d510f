"""Opening the monitor: by `celtop`, by `celery top`, and the refusal without a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from celtop.cli.exit_codes import InvalidUsage
from celtop.cli.monitor import _prepare, open_monitor, require_view
from celtop.files.views_file import views_file
from celtop.settings import Settings
from celtop.tests.cli.conftest import CELTOP, celtop, error_text
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import APPS, clean_environment
from celtop.tests.terminal import Terminal
from celtop.tui.app.starting import Prepared

CELERY = (sys.executable, "-m", "celery", "-A", "plain")


def test_without_a_terminal_it_recommends_the_snapshot() -> None:
    assert "celtop snapshot" in error_text(celtop("-b", "redis://h"), 2)


def test_without_a_terminal_the_demo_does_not_start() -> None:
    assert "celtop snapshot" in error_text(celtop("demo"), 2)


def test_a_dumb_terminal_is_refused() -> None:
    with Terminal((*CELTOP, "-b", "redis://h"), env={"TERM": "dumb"}) as terminal:
        assert terminal.wait_end() == 2
        assert "celtop snapshot" in terminal.text()


def test_a_url_that_can_never_be_used_closes_the_screen() -> None:
    with Terminal((*CELTOP, "-b", "reddis://h")) as terminal:
        assert terminal.wait_end() == 2
        assert "celtop: Cannot use the broker reddis://h" in terminal.text()
        assert "Did you mean redis://?" in terminal.text()
        assert terminal.restored()


def test_an_option_that_can_never_be_used_closes_the_screen() -> None:
    environ = {"CELTOP_BROKER_TRANSPORT_OPTIONS": '{"max_connections": "x"}'}
    with Terminal((*CELTOP, "-b", "redis://127.0.0.1:1/0"), env=environ) as terminal:
        assert terminal.wait_end() == 2
        assert "has an invalid option max_connections" in terminal.text()
        assert terminal.restored()


@pytest.mark.parametrize("command", ["snapshot", "tasks"])
def test_no_command_retries_a_broker_that_can_never_be_used(command: str) -> None:
    assert "socket_timeout" in error_text(celtop("-b", "redis://h?socket_timeout=x", command), 2)


def test_celery_has_the_command_top() -> None:
    ended = subprocess.run(
        (*CELERY, "top", "--help"),
        capture_output=True,
        text=True,
        env=clean_environment(PYTHONPATH=str(APPS)),
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "--read-only" in ended.stdout


@pytest.mark.parametrize("by_flag", [True, False], ids=["celery -b", "the app's own"])
def test_celery_top_monitors_the_apps_broker(
    redis_url: str, start_worker: StartWorker, by_flag: bool
) -> None:
    worker = start_worker(redis_url, name="mine")
    environ = {"PYTHONPATH": str(APPS), "TEST_BROKER_URL": "redis://127.0.0.1:1/0"}
    flags = ["-b", redis_url]
    if not by_flag:
        environ["TEST_BROKER_URL"] = redis_url
        flags = []
    with Terminal((*CELERY, *flags, "top"), env={**os.environ, **environ}) as terminal:
        terminal.wait_for(worker.name)
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert terminal.restored()


def test_a_view_opens_beside_an_invalid_one_which_is_refused_with_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    views_file().parent.mkdir()
    views_file().write_text('[odd]\nscreen = 1\n[good]\nscreen = "tasks"\n')
    require_view("good", "--view")
    with pytest.raises(InvalidUsage, match=r"\[odd\], line 2: screen: Expected `str`"):
        require_view("odd", "--view")
    with pytest.raises(InvalidUsage, match=r"Unknown view 'x' \(--view\); saved views: good"):
        require_view("x", "--view")


def test_hints_can_be_turned_off() -> None:
    for hints in (True, False):
        settings = Settings(broker_url="redis://localhost:6379/0", hints=hints)
        assert _prepare(lambda: settings).seen_hints.is_new("some hint") is hints  # noqa: B023


def test_a_cluster_that_cannot_be_monitored_leads_back(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, str]] = []
    chosen = iter(["bad", None])

    def run(prepare: partial[Prepared]) -> SimpleNamespace:
        read, problem = prepare.args
        try:
            settings = read()
        except InvalidUsage as error:
            return SimpleNamespace(error=error)
        opened.append((settings.broker_url or "", problem))
        return SimpleNamespace(
            error=None,
            is_set_up=False,
            return_code=0,
            return_value=next(chosen),
            context=SimpleNamespace(settings=settings),
        )

    command_line = ["redis://h"]

    def read_other(name: str) -> Settings:
        command_line[0] = name  # what was given for the first one no longer counts
        raise InvalidUsage(f"Cannot use {name}")

    monkeypatch.setattr("celtop.cli.monitor._run", run)
    monkeypatch.setattr("celtop.cli.monitor.require_terminal", lambda: None)
    assert open_monitor(lambda: Settings(broker_url=command_line[0]), read_other) == 0
    assert opened == [("redis://h", ""), ("redis://h", "Cannot use bad")]
