# mypy: disable-error-code="untyped-decorator"
"""An app with queues of every kind: an exchange of their own, a topic, a quorum queue."""

from __future__ import annotations

import json
import os
import time

from celery import Celery
from kombu import Exchange, Queue

app = Celery("routed", broker=os.environ.get("TEST_BROKER_URL", "memory://"))
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")))
topic = Exchange("orders", type="topic")
app.conf.task_queues = [
    Queue("plain"),
    Queue("billing", topic, routing_key="order.#"),
    Queue("safe", Exchange("safe"), routing_key="s", queue_arguments={"x-queue-type": "quorum"}),
    Queue("fleeting", Exchange("fleeting"), auto_delete=True),
]
app.conf.task_default_queue = "plain"
app.conf.worker_prefetch_multiplier = 1


@app.task
def ok(x: object = 1) -> object:
    """Give back what it got."""
    return x


@app.task
def slow(seconds: float = 1.0) -> float:
    """Take its time."""
    time.sleep(seconds)
    return seconds
