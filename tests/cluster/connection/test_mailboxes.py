"""Remote-control mailboxes as the broker lists them."""

from __future__ import annotations

import pytest
from celtop.cluster.connection.mailboxes import Mailboxes, mailboxes
from celtop.settings import Settings
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer, until

ALONE = ("--without-gossip",)


def test_running_and_killed_workers(
    redis_server: RedisServer, redis_url: str, start_worker: StartWorker
) -> None:
    settings = Settings(broker_url=redis_url)
    # A worker of an earlier test may have left its name while it was killed.
    redis_server.client(int(redis_url.rpartition("/")[2])).flushdb()
    assert mailboxes(settings) == Mailboxes(frozenset(), 0)
    alive = start_worker(redis_url, options=ALONE)
    dead = start_worker(redis_url, name="w2", options=ALONE)
    both = frozenset({alive.name, dead.name})
    assert mailboxes(settings) == Mailboxes(both, 2)
    dead.child.kill()
    until(lambda: mailboxes(settings) == Mailboxes(both, 1), what="one has died")
    # The message to no worker has not disturbed the running one.
    assert "ERROR" not in alive.child.output


@pytest.mark.parametrize("url", ["amqp://127.0.0.1:1//", "memory://"])
def test_a_broker_without_a_table_of_bindings_is_not_contacted(url: str) -> None:
    assert mailboxes(Settings(broker_url=url)) is None
