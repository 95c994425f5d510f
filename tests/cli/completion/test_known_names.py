"""Names of a cluster for the shell: soon, kept for a while, and without a word on stderr."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import click
import pytest
from celtop.cli.completion import known_names
from celtop.cli.completion.known_names import KnownNames
from celtop.cli.main import celtop as root
from celtop.cli.options import give
from celtop.files.files import state_folder
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import free_port, until


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


def context(url: str) -> click.Context:
    ctx = click.Context(root)
    give(ctx, "broker_url", url)
    return ctx


def test_the_names_of_a_cluster_are_found_and_kept(
    redis_url: str, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = start_worker(redis_url, name="seen")
    ctx = context(redis_url)
    assert known_names.known_names(ctx) == KnownNames(), "there is no time to wait"

    def found() -> KnownNames | None:
        names = known_names.known_names(ctx)
        return names if worker.name in names.workers else None

    names = until(found)
    assert names is not None and names.queues
    [file] = (state_folder() / known_names.FOLDER).glob("*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(known_names, "_look_up", pytest.fail)
    assert known_names.known_names(ctx) == names


def test_an_unreachable_broker_and_a_broken_file(monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = context(f"redis://127.0.0.1:{free_port()}/0")
    file = known_names._file({"broker_url": ctx.meta})
    file.parent.mkdir(parents=True)
    file.write_text('{"tasks": [')
    assert known_names._read(file) == (KnownNames(), float("inf"))
    file.write_text(json.dumps([["a"], [], [], [], []]))
    os.utime(file, (0, time.time() - 60))
    names, age = known_names._read(file)
    assert names.tasks == ["a"]
    assert 59 < age < 70
    assert known_names.known_names(ctx) == KnownNames()
