# mypy: disable-error-code="untyped-decorator"
"""An app whose tasks have limits of their own; its settings come from the environment."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from celery import Celery

app = Celery("limited", broker=os.environ.get("TEST_BROKER_URL", "memory://"))
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))


@app.task
def free(path: str = "") -> None:
    """Be as fast as it gets; leave a file behind."""
    if path:
        Path(path).write_text("ran")


@app.task(rate_limit="10/m", soft_time_limit=30, time_limit=60.5)
def held() -> None:
    """Be held back."""


@app.task
def wait_for(path: str) -> None:
    """Run until there is a file."""
    while not Path(path).exists():
        time.sleep(0.02)
