"""Over a slow link, commands are sent together and replies are fetched together."""

from __future__ import annotations

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.connection.remote_control import RemoteControl
from celtop.settings import Settings
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy
from celtop.tests.servers import RedisServer

COMMANDS = ("ping", "stats", "active", "reserved", "scheduled", "active_queues", "conf", "clock")


@pytest.mark.parametrize("prefix", ["", "acme:"])
def test_a_slow_link(redis_server: RedisServer, start_worker: StartWorker, prefix: str) -> None:
    url = redis_server.next_url()
    options = {"global_keyprefix": prefix}
    worker = start_worker(url, conf={"broker_transport_options": options})
    proxy = TcpProxy(redis_server.port, round_trip=0.1)
    settings = Settings(
        broker_url=f"redis://127.0.0.1:{proxy.port}/{url.rsplit('/', 1)[1]}",
        broker_transport_options=options,
    )
    try:
        broker = BrokerConnection(settings)
        with broker.connection() as connection:
            control = RemoteControl(connection, broker)
            control.prepare()
            with control.receiving():
                before = proxy.exchanges
                replies = control.wait(control.send(COMMANDS), [worker.name])
                taken = proxy.exchanges - before
        assert set(replies.values()[worker.name]) == set(COMMANDS)
        assert not replies.duplicates
        # One for all commands, and two for each lot of replies; one by one it would be sixteen.
        assert taken < len(COMMANDS)
    finally:
        proxy.close()
