"""The queue of replies on Redis leaves nothing behind, also under a key prefix."""

from __future__ import annotations

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.connection.remote_control import RemoteControl
from celtop.cluster.connection.replies import Replies, Reply
from celtop.settings import load_settings
from celtop.tests.servers import RedisServer


@pytest.mark.parametrize("prefix", ["", "acme:"])
def test_a_queue_is_bound_while_it_is_used(
    redis_server: RedisServer, redis_url: str, prefix: str
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    table = f"{prefix}_kombu.binding.reply.celery.pidbox"
    options = {"global_keyprefix": prefix}
    broker = BrokerConnection(
        load_settings({"broker_url": redis_url, "broker_transport_options": options}, {})
    )
    with broker.connection() as connection:
        control = RemoteControl(connection, broker)
        with control.receiving():
            (member,) = client.smembers(table)
            queue = member.rpartition("\x16")[2]
            client.lpush(f"{prefix}{queue}", "a late reply")
        control.close()
        assert not client.exists(table, f"{prefix}{queue}")


def test_missing_replies_are_counted() -> None:
    replies = Replies(("ping", "stats"))
    assert replies.missing(None) == 2
    assert replies.missing(("w1", "w2")) == 4
    replies.add(Reply("w1", "ping", {}, None))
    replies.add_unreadable("stats", "pickle")
    assert replies.missing(("w1", "w2")) == 2
