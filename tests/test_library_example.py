"""The example of `docs/library.md`, run as it is printed there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from celtop.tests.conftest import StartWorker
from celtop.tests.servers import clean_environment
from celtop.tests.test_docs import ROOT, code_blocks


def sections() -> dict[str, str]:
    """Return the sections of the document by title."""
    text = (ROOT / "docs" / "library.md").read_text("utf-8")
    return dict(part.split("\n", 1) for part in text.split("\n## ")[1:])


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
    assert f"{worker.name} prefork 1 active" in ran.stdout
    assert f"{running} plain.slow STARTED {worker.name}" in ran.stdout
    assert "celtop.snapshot/1 2 tasks" in ran.stdout
    assert "Revoke 2 tasks" in ran.stdout
    assert f"{waiting} confirmed" in ran.stdout
    assert (tmp_path / "celtop" / "audit.jsonl").is_file()
