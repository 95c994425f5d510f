# mypy: disable-error-code="untyped-decorator"
"""Tasks that say in the worker's log what they got and when they began."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

app = Celery("obedient", broker=os.environ.get("TEST_BROKER_URL", "memory://"))
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))


@worker_process_init.connect
def die_with_the_worker(**_: object) -> None:
    """A test kills workers with -9: their pool processes must not outlive them."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@app.task
def note(*args: Any, **kwargs: Any) -> list[Any]:
    """Say what it got, and give it back."""
    print(f"GOT {args!a} {kwargs!a}")
    return list(args)


@app.task
def other() -> None:
    """Say that it ran."""
    print("OTHER ran")


@app.task
def hold(seconds: float = 60.0) -> str:
    """Keep its worker busy."""
    print("HOLDING")
    time.sleep(seconds)
    print("LET GO")
    return "done"


@app.task
def hold_until(path: str) -> None:
    """Keep its worker busy until there is a file."""
    print("HOLDING")
    while not os.path.exists(path):  # noqa: PTH110
        time.sleep(0.05)


@app.task
def fail(*args: Any, **kwargs: Any) -> None:
    """Say what it got, and raise."""
    print(f"GOT {args!a} {kwargs!a}")
    raise ValueError("no such café")
