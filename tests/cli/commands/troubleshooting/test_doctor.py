"""`celtop doctor`: its steps and exit codes, also when nothing works."""

from __future__ import annotations

import json
from pathlib import Path

import celery
import pytest
from celtop.cli.main import run
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import free_port

Capture = pytest.CaptureFixture[str]


def test_a_cluster(redis_url: str, start_worker: StartWorker, capfd: Capture) -> None:
    start_worker(redis_url, conf={"result_backend": redis_url})
    assert run(("-b", redis_url, "doctor", "--deep", "--json")) == 0
    document = json.loads(capfd.readouterr().out)
    by_name = {step["name"]: step for step in document["steps"]}
    # Older versions of Celery have known faults.
    allowed = {"workers"} if celery.VERSION < (5, 7) else set()
    assert {name for name, step in by_name.items() if step["status"] != "ok"} <= allowed
    assert list(by_name)[-9:] == [
        "broker", "workers", "events", "queues", "tasks", "results", "beat", "clocks", "advice",
    ]  # fmt: skip
    assert "1 worker online: w1@test" in by_name["workers"]["text"]


def test_nothing_works(tmp_path: Path, capfd: Capture) -> None:
    dead = f"redis://:secret@127.0.0.1:{free_port()}/0"
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    assert run(("-A", "broken", "--workdir", str(tmp_path), "-b", dead, "doctor")) == 3
    printed = capfd.readouterr().out
    assert "App             Cannot load the app broken: ModuleNotFoundError" in printed
    assert "Port            Cannot connect to 127.0.0.1:" in printed
    assert "not checked  TLS, Server, Password, Database, Permissions, Broker, Workers," in printed
    assert "secret" not in printed
    assert run(("doctor",)) == 1
    assert "no broker URL is set" in capfd.readouterr().out
    assert run(("--config", str(tmp_path / "none.toml"), "doctor")) == 1
    assert "Cannot read the config file" in capfd.readouterr().out
