# mypy: disable-error-code="untyped-decorator"
"""An app whose tasks are worth to be followed: they come on, fall, and are tried again."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from celery import Celery, Task

app = Celery("watched", broker=os.environ["TEST_BROKER_URL"])
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))


@app.task(bind=True)
def climb(self: Task[Any, Any], steps: int = 10, pause: float = 0.3) -> dict[str, object]:
    """Tell of each step."""
    for step in range(steps):
        meta = {"progress": 100 * step / steps, "status": f"step {step}"}
        self.update_state(state="CLIMBING", meta=meta)
        time.sleep(pause)
    return {"height": 8_848, "at": "the \u00e4u\u00dferst top"}


@app.task(bind=True)
def fall(self: Task[Any, Any], pause: float = 0.5) -> None:
    """Tell of a step, and raise."""
    self.update_state(state="CLIMBING", meta={"current": 3, "total": 4})
    time.sleep(pause)
    raise OSError("the rope \x1b[31mbroke")


@app.task(bind=True, max_retries=3)
def slip(self: Task[Any, Any], times: int = 1, countdown: float = 2.0) -> str:
    """Succeed after some more attempts."""
    if self.request.retries < times:
        raise self.retry(exc=ConnectionError("wet"), countdown=countdown)
    return "dry"
