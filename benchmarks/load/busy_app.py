"""The Celery app of the benchmark's real worker: `celery -A busy_app worker`."""

from __future__ import annotations

import time

from celery import Celery

app = Celery("busy_app")
app.conf.broker_connection_retry_on_startup = True
app.conf.task_ignore_result = True


@app.task(name="bench.sleep")  # type: ignore[untyped-decorator]
def sleep(seconds: float) -> None:
    """Run for some seconds."""
    time.sleep(seconds)
