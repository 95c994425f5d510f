"""`celtop why` answers for a queue and for a task that waits in it."""

from __future__ import annotations

import json
from collections.abc import Callable

from celery import Celery
from celtop.cli.commands.show.why import _where_to_look
from celtop.cluster.session import Session
from celtop.model.entities.fault import Fault
from celtop.model.observations import QuestionsFailed, QueueMeasured
from celtop.settings import load_settings
from celtop.tests.cli.conftest import celtop
from celtop.tests.servers import RabbitServer

Send = Callable[..., str]


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


def test_a_task_that_waits_on_rabbitmq_is_found_by_reading_its_queue(
    amqp_url: str, rabbit_server: RabbitServer, send: Send
) -> None:
    ids = [send(amqp_url, "shop.bill", queue="mail") for _ in range(2)]
    api = {"CELTOP_RABBITMQ_MANAGEMENT": f"http://127.0.0.1:{rabbit_server.http_port}"}
    unread = celtop("-b", amqp_url, "--queues", "mail", "why", ids[1], env=api)
    assert unread.returncode == 1
    assert f"run celtop why {ids[1]} --read-queue mail" in unread.stderr
    found = celtop("-b", amqp_url, "why", ids[1], "--read-queue", "mail", "--yes", env=api)
    assert "It waits in mail: 2 messages waiting, no consumers." in found.stdout, found.stderr
    unconfirmed = celtop("-b", amqp_url, "why", ids[1], "--read-queue", "mail", env=api)
    assert unconfirmed.returncode == 2 and "--yes" in unconfirmed.stderr
    assert "--dry-run" not in unconfirmed.stderr


def where_to_look(management: str | None, fault: Fault | None) -> str:
    settings = {"broker_url": "amqp://localhost", "rabbitmq_management": management}
    session = Session(load_settings(settings, {}))
    assert _where_to_look(session, "1", None).startswith("No queue with messages is known")
    session.state.observe(QueueMeasured("mail", 1.0, waiting=2))
    if fault is not None:
        session.state.observe(QuestionsFailed("cluster", ("queues",), 1.0, fault))
    return _where_to_look(session, "1", None)


def test_reading_a_queue_is_advised_only_with_the_management_api() -> None:
    fault = Fault("unsupported", "AMQP cannot list queues, and it refused", "Enable the plugin")
    assert "why 1 --read-queue mail" in where_to_look(None, None)
    assert "which celtop cannot use. Enable the plugin; then run" in where_to_look(None, fault)
    assert "Remove the setting rabbitmq_management" in where_to_look("never", fault)
