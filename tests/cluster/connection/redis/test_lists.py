"""Many lists read with one command on a real Redis."""

from __future__ import annotations

from celtop.cluster.connection.redis.lists import ReadList, read_lists
from redis import Redis


def test_sizes_and_next_messages_of_many_lists(redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    client.rpush("long", *"edcba")
    client.rpush("short", "x")
    client.set("other", "no list")
    keys = ["none", "long", "short", "other"]
    found = read_lists(client, keys, messages=3, max_bytes=100)
    assert found is not None
    other = found.pop("other")
    assert isinstance(other.size, str) and other.size.startswith("WRONGTYPE")
    assert found == {"long": ReadList(5, (b"a", b"b", b"c")), "short": ReadList(1, (b"x",))}


def test_large_messages_are_left_out(redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    client.rpush("a", "y" * 40, "x" * 40)
    client.rpush("b", "z" * 90)
    found = read_lists(client, ["a", "b"], messages=10, max_bytes=100)
    assert found == {"a": ReadList(2, (b"x" * 40, b"y" * 40)), "b": ReadList(1, ())}
