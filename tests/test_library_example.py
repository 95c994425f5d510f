"""The example of `docs/library.md`, run as it is printed there."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from celtop import ClusterState, Session
from celtop.cluster.lookups import Lookups
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import clean_environment
from celtop.tests.test_docs import ROOT, code_blocks


def sections() -> dict[str, str]:
    """Return the sections of the document by title."""
    text = (ROOT / "docs" / "library.md").read_text("utf-8")
    return dict(part.split("\n", 1) for part in text.split("\n## ")[1:])


def test_the_reader_is_used_when_it_is_installed(
    redis_url: str, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker(redis_url)
    section = sections()["A reader for another result backend"]
    [program], [project] = code_blocks(section, "python"), code_blocks(section, "toml")
    install(tmp_path, "celtop_sqlitekv", program, tomllib.loads(project)["project"])
    with closing(sqlite3.connect(tmp_path / "results.db")) as database:
        database.execute("CREATE TABLE results (id TEXT PRIMARY KEY, entry TEXT)")
        entry = json.dumps({"status": "SUCCESS", "result": "forty-two", "task_id": "x"})
        database.execute("INSERT INTO results VALUES ('x', ?)", (entry,))
        database.commit()
    ran = subprocess.run(
        [sys.executable, "-m", "celtop", "-b", redis_url, "--result-backend",
         f"sqlitekv://{tmp_path}/results.db", "task", "x", "--json"],
        env=clean_environment(PYTHONPATH=str(tmp_path)),
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "forty-two" in ran.stdout


def install(folder: Path, module: str, source: str, project: dict[str, Any]) -> None:
    """Make a folder look as if a distribution had been installed into it."""
    (folder / f"{module}.py").write_text(source, "utf-8")
    info = folder / f"{module}-{project['version']}.dist-info"
    info.mkdir()
    name, version = project["name"], project["version"]
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def test_every_call_in_the_table_exists() -> None:
    calls = re.findall(r"^\| `(?:(\w+)\.)?(\w+)\(", sections()["More of a session"], re.M)
    assert calls
    owners = {"": Session, "state": ClusterState, "lookups": Lookups}
    for owner, name in calls:
        assert hasattr(owners[owner], name), name


def test_the_first_program_revokes_what_it_finds(
    redis_url: str, start_worker: StartWorker, send: Callable[..., str], tmp_path: Path
) -> None:
    worker = start_worker(redis_url, pool="prefork", concurrency=1)
    running = send(redis_url, "plain.slow", 30.0)
    waiting = send(redis_url, "plain.ok")
    program = "\n".join(code_blocks(sections()["A first program"], "python"))
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=clean_environment(CELTOP_BROKER_URL=redis_url, XDG_STATE_HOME=str(tmp_path)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert f"{worker.name} prefork 1 running" in ran.stdout
    assert f"{running} plain.slow STARTED {worker.name}" in ran.stdout
    assert "celtop.snapshot/1 2 tasks" in ran.stdout
    assert "Revoke 2 tasks" in ran.stdout
    assert f"{waiting} confirmed" in ran.stdout
    assert (tmp_path / "celtop" / "audit.jsonl").is_file()
