"""Messages of a pattern subscription, in whatever pieces they arrive."""

from __future__ import annotations

import pytest
from celtop.cluster.events import redis_subscription
from celtop.cluster.events.redis_subscription import EventFrames

PATTERN = "/0.celeryev/*"


def message(payload: bytes) -> bytes:
    parts = [b"pmessage", PATTERN.encode(), b"/0.celeryev/task.multi", payload]
    return b"*4\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


@pytest.mark.parametrize("size", [1, 5, 64, 1_000, 1_000_000])
def test_bytes_may_arrive_in_any_pieces(size: int) -> None:
    payloads: list[bytes] = []
    unreadable: list[str] = []
    frames = EventFrames(PATTERN, payloads.append, unreadable.append)
    stream = b"".join(
        (
            b"*3\r\n$10\r\npsubscribe\r\n$13\r\n/0.celeryev/*\r\n:1\r\n",
            message(b'{"x": "\r\n*4\r\n"}'),
            message(b""),
            b"*2\r\n$4\r\npong\r\n$0\r\n\r\n",
            message(b"y" * 700),
        )
    )
    replies = []
    for start in range(0, len(stream), size):
        replies += frames.feed(stream[start : start + size])
    assert payloads == [b'{"x": "\r\n*4\r\n"}', b"", b"y" * 700]
    assert replies == [[b"psubscribe", PATTERN.encode(), b"1"], [b"pong", b""]]
    assert not unreadable


@pytest.mark.parametrize("size", [1, 64, 1_000_000])
def test_a_message_that_is_too_large_is_counted_and_skipped(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_subscription, "MAX_MESSAGE_BYTES", 1_000)
    payloads: list[bytes] = []
    unreadable: list[str] = []
    frames = EventFrames(PATTERN, payloads.append, unreadable.append)
    stream = message(b"z" * 2_000) + message(b"next")
    for start in range(0, len(stream), size):
        frames.feed(stream[start : start + size])
    assert payloads == [b"next"]
    assert unreadable == ["too large"]
