"""A real Celery worker that runs the tasks of `busy_app.py`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ..subjects.programs import BIN, SubjectFailed, environment

HERE = Path(__file__).resolve().parent


@contextlib.contextmanager
def worker(url: str, name: str = "celery@bench", *, backend: str | None = None) -> Iterator[None]:
    """A real worker of two processes, started without `-E`; ready when the block begins."""
    from celery import Celery

    with tempfile.TemporaryDirectory(prefix="celtop-bench-") as home:
        process = subprocess.Popen(
            [
                *(str(BIN / "celery"), "-A", "busy_app", "--workdir", str(HERE), "-b", url),
                *(("--result-backend", backend) if backend else ()),
                *("worker", "-c", "2", "-n", name, "-l", "error"),
            ],
            env=environment(Path(home)),
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            control = Celery(broker=url, fixups=set(), set_as_current=False).control
            deadline = time.monotonic() + 30
            while not control.ping(timeout=0.5, limit=1):
                if time.monotonic() > deadline:
                    raise SubjectFailed("the worker did not start")
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
