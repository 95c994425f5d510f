"""`celtop why` answers for a queue and for a task that waits in it."""

from __future__ import annotations

import json

from celery import Celery
from celtop.tests.cli.conftest import celtop


def test_a_queue_without_consumers(redis_url: str) -> None:
    app = Celery(broker=redis_url)
    with app.connection_for_write(redis_url) as connection:
        app.send_task("shop.bill", queue="mail", task_id="first", connection=connection)
        app.send_task("shop.bill", queue="mail", task_id="second", connection=connection)
    why = celtop("-b", redis_url, "why", "mail", "--wait", "0", "--json")
    answer = json.loads(why.stdout)
    assert (answer["schema"], answer["kind"], answer["code"]) == (
        "celtop.why/1",
        "queue",
        "queue-without-consumers",
    )
    assert answer["text"] == "2 messages waiting, no consumers"
    shown = celtop("-b", redis_url, "why", "second")
    assert "It waits in mail: 2 messages waiting, no consumers." in shown.stdout
    assert "1 message before it" in shown.stdout
    unknown = celtop("-b", redis_url, "why", "nothing")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "No task or queue nothing was found" in unknown.stderr
