# mypy: disable-error-code="untyped-decorator"
"""Tasks that are put together to chains, groups and chords, and how."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from typing import Any

from celery import Celery, Task, chain, chord, group
from celery.signals import worker_process_init

app = Celery("flows", broker=os.environ.get("TEST_BROKER_URL", "memory://"))
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))


@worker_process_init.connect
def die_with_the_worker(**_: object) -> None:
    """A test kills workers with -9: their pool processes must not outlive them."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@app.task
def fetch(seconds: float = 0.0) -> str:
    """Begin a workflow."""
    time.sleep(seconds)
    return "fetched"


@app.task
def render(*before: Any, seconds: float = 0.0) -> str:
    """Do a part."""
    time.sleep(seconds)
    return "rendered"


@app.task
def spoil(*before: Any) -> None:
    """Fail at a part."""
    raise ValueError("no such font")


@app.task
def collect(parts: Any, seconds: float = 0.0) -> str:
    """Put the parts together."""
    time.sleep(seconds)
    return "collected"


@app.task
def mail(*before: Any) -> str:
    """End a workflow."""
    return "mailed"


@app.task(bind=True, max_retries=1)
def shy(self: Task[Any, Any], *before: Any) -> str:
    """Succeed at the second go."""
    if not self.request.retries:
        raise self.retry(countdown=0.1)
    return "at last"


@app.task
def spread(number: int, seconds: float = 0.0) -> None:
    """Send tasks of its own while it runs."""
    for _ in range(number):
        render.apply_async((), {"seconds": seconds})
    time.sleep(0.6)


def send(what: str, seconds: float = 0.0) -> str:
    """Send a workflow; return the id of its first task."""
    parts = [render.s(seconds=seconds) for _ in range(3)]
    if what == "chain":
        result = chain(fetch.s(seconds), render.s(seconds=seconds), mail.s()).apply_async()
    elif what == "group":
        return str(group(parts).apply_async().children[0].id)
    elif what == "chord":
        return str(chord(parts, collect.s()).apply_async().parent.children[0].id)
    elif what == "failing chord":
        return str(chord([*parts, spoil.s()], collect.s()).apply_async().parent.children[0].id)
    elif what == "shy":
        result = chain(fetch.s(), shy.s(), mail.s()).apply_async()
    elif what == "spread":
        return str(spread.delay(3, seconds).id)
    else:
        # A chord in a chain: what follows a group there is its body.
        steps = (fetch.s(seconds), group(parts), collect.s(seconds=seconds), mail.s())
        result = chain(*steps).apply_async()
    while result.parent is not None:
        result = result.parent
    children = getattr(result, "children", None)
    return str(result.id if not children or not hasattr(result, "results") else children[0].id)
