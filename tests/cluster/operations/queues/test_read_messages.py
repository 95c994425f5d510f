"""Messages are read on RabbitMQ with the management API, and stay in their places."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from celtop.cluster.operations.queues.read_messages import read_messages
from celtop.cluster.operations.running import Refused
from celtop.model.observations import QueuePeeked
from celtop.model.operations.commands import ReadMessages
from celtop.tests.cluster.operations.run_operation import OperationRun
from celtop.tests.servers import RabbitServer, until

Send = Callable[..., str]


def test_messages_are_read_in_order_and_returned(
    rabbit_server: RabbitServer, amqp_url: str, send: Send
) -> None:
    ids = [
        send(amqp_url, "plain.ok", "ä", number, queue="q", kwargs={"a": None})
        for number in range(3)
    ]
    ids.append(send(amqp_url, "plain.fail", queue="q", serializer="pickle", countdown=60))
    api = f"http://127.0.0.1:{rabbit_server.http_port}"
    run = OperationRun(amqp_url, ReadMessages(queue="q", count=10), rabbitmq_management=api)
    outcome = run.run(read_messages)
    assert outcome.targets["q"].text == "4 messages read"
    peeked = run.context.inbox.take()
    assert isinstance(peeked, QueuePeeked)
    assert [one.id for one in peeked.messages] == ids
    first, *_, last = peeked.messages
    assert (first.name, first.args, first.kwargs) == ("plain.ok", "('ä', 0)", "{'a': None}")
    assert (first.before, first.retries, first.eta_at, first.group_id) == (0, 0, None, None)
    assert last.content_type == "application/x-python-serialize" and last.eta_at is not None
    assert (peeked.complete, peeked.is_listing, peeked.notes) == (True, True, ())

    def waiting() -> bool:
        vhost = amqp_url.rsplit("/", 1)[1]
        queue = rabbit_server.api("GET", f"queues/{vhost}/q")
        return bool(queue.get("messages_ready") == 4)

    until(waiting)


def test_it_is_refused_where_it_cannot_be_done(redis_url: str, amqp_url: str, send: Send) -> None:
    operation = ReadMessages(queue="q", count=10)
    with pytest.raises(Refused, match="management API"):
        OperationRun(redis_url, operation).run(read_messages)
    with pytest.raises(Refused, match="there is no queue q on the broker"):
        OperationRun(amqp_url, operation).run(read_messages)
    send(amqp_url, "plain.ok", queue="q")
    with pytest.raises(Refused, match="refused the connection"):
        run = OperationRun(amqp_url, operation, rabbitmq_management="http://127.0.0.1:1")
        run.run(read_messages)
