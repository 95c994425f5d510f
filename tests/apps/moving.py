# mypy: disable-error-code="untyped-decorator"
"""An app whose tasks tell how far they have come, again and again."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from celery import Celery, Task

app = Celery("moving", broker=os.environ["TEST_BROKER_URL"])
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))


@app.task(bind=True)
def move(self: Task[Any, Any], steps: int = 100, pause: float = 0.1) -> str:
    """Take so many steps, and tell of each."""
    for step in range(steps):
        meta = {"progress": 100 * step // steps, "status": f"step {step}"}
        self.update_state(state="PROGRESS", meta=meta)
        time.sleep(pause)
    return "arrived"


@app.task
def add(x: int, y: int) -> int:
    """Add, and be done."""
    return x + y
