"""What is asked about the memory of a real Redis."""

from __future__ import annotations

from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.polling.queues.redis_memory import RedisMemory
from celtop.settings import Settings
from celtop.tests.servers import RedisServer


def test_memory_is_read_once_a_minute(redis_url: str) -> None:
    memory = RedisMemory(BrokerConnection(Settings(broker_url=redis_url)).connect())
    first = memory.measure()
    assert first is not None
    assert first.memory.used > 100_000
    assert first.memory.policy == "noeviction"
    assert first.memory.evicted is not None
    assert memory.measure() is None


def test_a_user_without_the_right_to_info_is_refused_once(
    redis_server: RedisServer, redis_url: str
) -> None:
    client = redis_server.client(0)
    client.execute_command("ACL", "SETUSER", "noinfo", "on", ">pw", "~*", "&*", "+@all", "-info")
    try:
        url = redis_url.replace("redis://", "redis://noinfo:pw@")
        broker = BrokerConnection(Settings(broker_url=url))
        memory = RedisMemory(broker.connect())
        assert memory.measure() is None
        sent = broker.meter.sent
        assert memory.measure() is None
        assert broker.meter.sent == sent
    finally:
        client.execute_command("ACL", "DELUSER", "noinfo")
