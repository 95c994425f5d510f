"""A task whose message RabbitMQ has dead-lettered is in the queue that its worker consumes."""

from __future__ import annotations

from collections.abc import Callable

from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker
from kombu import Queue

TTL_MS = 2_500
"""Time in the first queue; longer than a report of the worker's queues may be in transit."""
DEAD_LETTERS = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "only"}
FIRST = Queue("first", queue_arguments={"x-message-ttl": TTL_MS, **DEAD_LETTERS})


def test_a_task_is_in_the_only_queue_of_the_worker_that_received_it(
    amqp_url: str, open_session: OpenSession, start_worker: StartWorker, send: Callable[..., str]
) -> None:
    start_worker(amqp_url, queues=["only"], events=True)
    live = open_session(amqp_url, audit_file="")
    live.until(lambda: (w := live.state.workers.get("w1@test")) and w.queues)
    conf = {"task_queues": [FIRST], "task_send_sent_event": True}
    id_ = send(amqp_url, "plain.ok", queue="first", conf=conf)
    live.until(lambda: (task := live.state.tasks.get(id_)) and task.queue == "first")
    task = live.state.tasks[id_]
    live.until(lambda: task.state == "SUCCESS")

    def moved() -> bool:
        live.session.refresh()
        return task.queue == "only"

    live.until(moved)
