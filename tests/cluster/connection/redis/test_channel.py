"""A subscription waits for data, and for being woken."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from unittest.mock import Mock, patch

import pytest
from celtop.cluster.connection.redis.channel import ChannelFrames, RedisChannel


@pytest.fixture
def server() -> Iterator[tuple[socket.socket, RedisChannel[ChannelFrames]]]:
    """The server's end of a connection, and a subscription over it."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"*3\r\n$10\r\npsubscribe\r\n$1\r\nx\r\n:1\r\n")
    with (
        ours,
        theirs,
        patch("celtop.cluster.connection.redis.channel.socket_of", Mock(return_value=ours)),
    ):
        channel = RedisChannel(Mock(), ChannelFrames("x"))
        yield theirs, channel
        channel.close()


def test_woken_it_returns_before_the_timeout(
    server: tuple[socket.socket, RedisChannel[ChannelFrames]],
) -> None:
    theirs, channel = server
    began = time.monotonic()
    for _ in range(3):
        channel.wake()
    assert channel.receive(60.0) == 0
    assert time.monotonic() - began < 30.0
    with pytest.raises(BlockingIOError):  # or else it would wake up again and again
        channel._wakes.recv(1)
    theirs.sendall(b"+PONG\r\n")
    channel.wake()
    assert channel.receive(60.0) == 7
    channel.close()
    channel.wake()
