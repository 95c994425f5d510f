# mypy: disable-error-code="untyped-decorator"
"""A small app with one task of each kind; its settings come from the environment."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from typing import Any

from celery import Celery, Task
from celery.exceptions import Ignore
from celery.signals import worker_process_init

app = Celery("plain", broker=os.environ.get("TEST_BROKER_URL", "memory://"))
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))


@worker_process_init.connect
def die_with_the_worker(**_: object) -> None:
    """A test kills workers with -9: their pool processes must not outlive them."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@app.task
def ok(x: object = 1) -> object:
    """Give back what it got."""
    return x


@app.task
def fail(message: str = "no such file") -> None:
    """Raise."""
    raise ValueError(message)


@app.task
def slow(seconds: float = 1.0) -> float:
    """Take its time."""
    time.sleep(seconds)
    return seconds


@app.task(bind=True, max_retries=2)
def retry(self: Task[Any, Any], countdown: float = 0.1) -> None:
    """Fail twice, then for good."""
    raise self.retry(exc=ConnectionError("try later"), countdown=countdown)


@app.task
def ignore() -> None:
    """End without a final event."""
    raise Ignore()


@app.task(bind=True)
def progress(self: Task[Any, Any], steps: int = 3, pause: float = 0.05) -> int:
    """Tell how far it has come, by custom events."""
    for step in range(1, steps + 1):
        self.send_event("task-progress", current=step, total=steps, status=f"step {step}")
        time.sleep(pause)
    return steps


@app.task(bind=True)
def replaced(self: Task[Any, Any], queue: str) -> None:
    """Replace itself by another task in a queue."""
    raise self.replace(slow.si(0.1).set(queue=queue))
