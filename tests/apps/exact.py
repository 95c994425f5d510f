# mypy: disable-error-code="untyped-decorator"
"""An app that writes down exactly what each of its tasks received, a line of JSON for each."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from celery import Celery, Task

app = Celery("exact", broker=os.environ.get("TEST_BROKER_URL", "memory://"))
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))


def write(task: Task[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Append what was received; one write for each, so that threads do not mix."""
    request = task.request
    line = {
        "id": request.id,
        "name": task.name,
        "received": repr((args, kwargs)),
        "root_id": request.root_id,
        "parent_id": request.parent_id,
        "retries": request.retries,
        "eta": request.eta,
        "expires": request.expires,
        "group": request.group,
        "chord": request.chord is not None,
        "chain": len(request.chain or ()),
        "callbacks": len(request.callbacks or ()),
        "timelimit": request.timelimit,
        "shadow": request.shadow,
        "stamps": request.stamps,
        "stamped_headers": request.stamped_headers,
        "ignore_result": request.ignore_result,
        "argsrepr": request.argsrepr,
        "priority": request.delivery_info["priority"],
        "retry_of": getattr(request, "celtop_retry_of", None),
        "tenant": getattr(request, "tenant", None),
        "correlation_id": request.correlation_id,
    }
    file = os.open(os.environ["TEST_RECEIVED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, json.dumps(line).encode() + b"\n")
    os.close(file)


@app.task(bind=True)
def take(self: Task[Any, Any], *args: Any, **kwargs: Any) -> int:
    """Write down what it got."""
    write(self, args, kwargs)
    return len(args)


@app.task(bind=True)
def named(self: Task[Any, Any], *, name: str, size: int = 1) -> None:
    """Take keyword arguments only."""
    write(self, (), {"name": name, "size": size})


@app.task(bind=True)
def fail(self: Task[Any, Any], *args: Any, **kwargs: Any) -> None:
    """Write down what it got, and raise."""
    write(self, args, kwargs)
    raise ValueError("no such file")


@app.task(bind=True)
def change(self: Task[Any, Any], items: list[Any], *rest: Any) -> None:
    """Change a list that it was given."""
    write(self, (items, *rest), {})
    items.append(3)


@app.task(bind=True)
def hold(self: Task[Any, Any], seconds: float, *args: Any, **kwargs: Any) -> None:
    """Write down what it got, and stay for a while."""
    write(self, args, kwargs)
    time.sleep(seconds)
