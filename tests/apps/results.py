# mypy: disable-error-code="untyped-decorator"
"""An app whose tasks leave each kind of entry in a result backend."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from celery import Celery, Task

app = Celery("results", broker=os.environ["TEST_BROKER_URL"])
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))


@app.task
def echo(*args: Any, **kwargs: Any) -> Any:
    """Give back what it got."""
    return {"args": args, "kwargs": kwargs}


@app.task
def fail(*args: Any, **kwargs: Any) -> None:
    """Raise."""
    raise ValueError("no such file", 404)


@app.task(bind=True)
def progress(self: Task[Any, Any], seconds: float = 60.0) -> str:
    """Tell how far it has come, and go on for a while."""
    self.update_state(state="PROGRESS", meta={"current": 3, "total": 10})
    time.sleep(seconds)
    return "done"


@app.task(bind=True)
def retry(self: Task[Any, Any]) -> None:
    """Fail, and be tried again after a minute."""
    raise self.retry(exc=ConnectionError("try later"), countdown=60)


@app.task(bind=True)
def by_hand(self: Task[Any, Any], text: str) -> None:
    """Write a failure whose meta is no exception, and end without another entry."""
    from celery.exceptions import Ignore

    self.update_state(state="FAILURE", meta=text)
    raise Ignore()


@app.task(bind=True)
def parent(self: Task[Any, Any]) -> None:
    """Start another task."""
    echo.delay("child")
