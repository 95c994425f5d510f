"""A subscription to the task channels of Redis, parsed directly from the socket.

Celery publishes every state of every task of every project on the server, including results, and
most of them are irrelevant here. A client library takes 30 to 50 microseconds to turn a message
into lists; here the channel name is compared in place, and the rest is skipped. The protocol is
RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/): a message is
`*4`, then `pmessage`, the pattern, the channel and the payload, each behind its length.
"""

from __future__ import annotations

import contextlib
import select
import ssl
import time
from collections.abc import Container
from typing import Any, Final, NamedTuple

from ..connection.errors import Unresponsive
from ..connection.metering import socket_of
from ..connection.redis_keys import exactly

MAX_PAYLOAD_BYTES: Final = 256 << 10
"""Bytes of a payload that is kept whole; of a larger one only the beginning is kept."""
HEAD_BYTES: Final = 64
"""Bytes of that beginning: enough for the state, which Celery writes first."""
PING_AFTER: Final = 20.0
"""Seconds without data, while tasks run, before the connection is pinged. Until it responds,
running tasks are polled every few seconds anyway."""
PING_TIMEOUT: Final = 5.0
"""Seconds for the reply."""
_RECV_BYTES: Final = 256 << 10
MAX_RECEIVE_BYTES: Final = 8 << 20
"""Bytes received in one call; if reached, there are probably more."""


class ChannelRefused(Exception):
    """The server refused the subscription; the text is its own."""


class Payload(NamedTuple):
    """The last message published for a task."""

    data: bytes
    """The whole payload, or its beginning."""
    size: int
    """Bytes of the whole payload."""

    @property
    def whole(self) -> bool:
        """Whether `data` is the whole payload."""
        return len(self.data) == self.size


class FrameParser:
    """Extracts the last payload of each known task from the bytes of a subscription.

    Args:
        prefix: The prefix of all channels; the rest of a channel's name is the task's id.
        known: The ids of the tasks whose payloads are kept.
    """

    def __init__(self, prefix: str, known: Container[str]) -> None:
        self.pattern = exactly(prefix) + "*"
        pattern = self.pattern.encode()
        self._head = b"*4\r\n$8\r\npmessage\r\n$%d\r\n%s\r\n$" % (len(pattern), pattern)
        self._prefix = len(prefix.encode())
        self._known = known
        self._rest = b""
        self._skip = 0
        self.latest: dict[str, Payload] = {}
        """The last payload by id; the reader replaces the dict."""
        self.unknown: dict[str, bytes] = {}
        """Beginnings of the payloads of unknown tasks, by id."""
        self.received = 0
        """Number of messages received."""

    def feed(self, data: bytes) -> list[Any]:
        """Parse received bytes; return the replies among them, which are not messages."""
        if self._skip:
            if len(data) <= self._skip:
                self._skip -= len(data)
                return []
            data = data[self._skip :]
            self._skip = 0
        buffer = self._rest + data if self._rest else data
        position, answers = 0, []
        while position < len(buffer):
            if buffer.startswith(self._head, position):
                end = self._message(buffer, position + len(self._head))
            else:
                answer, end = _answer(buffer, position)
                if end >= 0:
                    answers.append(answer)
            if end < 0:
                break
            position = end
        self._rest = buffer[position:]
        return answers

    def _message(self, buffer: bytes, start: int) -> int:
        """Parse a message whose channel length is at `start`; return its end, -1 if incomplete."""
        end = buffer.find(b"\r\n", start)
        if end < 0:
            return -1
        channel = end + 2
        channel_end = channel + int(buffer[start:end])
        end = buffer.find(b"\r\n", channel_end + 3)
        if end < 0:
            return -1
        size = int(buffer[channel_end + 3 : end])
        start, end = end + 2, end + 4 + size
        id_ = buffer[channel + self._prefix : channel_end].decode(errors="replace")
        wanted = size if size <= MAX_PAYLOAD_BYTES else HEAD_BYTES
        if id_ not in self._known:
            self.unknown[id_] = buffer[start : start + HEAD_BYTES]
        elif start + wanted > len(buffer):
            return -1
        else:
            self.latest[id_] = Payload(buffer[start : start + wanted], size)
        self.received += 1
        if end > len(buffer):
            self._skip = end - len(buffer)
            return len(buffer)
        return end


def _answer(buffer: bytes, position: int) -> tuple[Any, int]:
    """Return a value and its end, -1 if it is incomplete."""
    line_end = buffer.find(b"\r\n", position)
    if line_end < 0:
        return None, -1
    kind, line, position = buffer[position : position + 1], buffer[position + 1 : line_end], 0
    after = line_end + 2
    if kind == b"*":
        items = []
        for _ in range(int(line)):
            item, after = _answer(buffer, after)
            if after < 0:
                return None, -1
            items.append(item)
        return items, after
    if kind == b"$":
        size = int(line)
        if size < 0:
            return None, after
        end = after + size + 2
        return (buffer[after : end - 2], end) if end <= len(buffer) else (None, -1)
    if kind == b"-":
        return ChannelRefused(line.decode(errors="replace")), after
    if kind in b":+":
        return line, after
    raise ConnectionError(f"invalid Redis protocol: {line[:40]!r}")


class RedisChannel:
    """A subscription over a connection of its own.

    Args:
        connection: A redis-py connection, not connected and not shared.
        frames: Parses the received bytes.

    Raises:
        ChannelRefused: The server refused the subscription.
        Exception: Any error of redis-py when it cannot connect.
    """

    def __init__(self, connection: Any, frames: FrameParser) -> None:
        self.frames = frames
        self._connection = connection
        connection.connect()
        try:
            self._socket: Any = socket_of(connection)
            connection.send_command("PSUBSCRIBE", frames.pattern, check_health=False)
            self._heard_at = time.monotonic()
            self._asked_at: float | None = None
            self._confirm()
        except BaseException:
            self.close()
            raise

    def receive(self, timeout: float) -> int:
        """Wait up to `timeout` seconds for data; parse all that has arrived, return its bytes.

        Raises:
            OSError: The connection is lost.
        """
        return self._receive(timeout)[0]

    def check(self, silence: float = PING_AFTER) -> None:
        """Send a ping after `silence` seconds without data.

        Raises:
            Unresponsive: A ping was not answered in time.
            OSError: The connection is lost.
        """
        now = time.monotonic()
        if self._asked_at is not None:
            if now - self._asked_at > PING_TIMEOUT:
                raise Unresponsive("pings on the results connection are not answered")
        elif now - self._heard_at > silence:
            self._asked_at = now
            self._connection.send_command("PING", check_health=False)

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(Exception):
            self._connection.disconnect()

    def _confirm(self) -> None:
        while True:
            for answer in self._receive(PING_TIMEOUT)[1]:
                if isinstance(answer, ChannelRefused):
                    raise answer
                return
            self.check(0.0 if self._asked_at is None else PING_AFTER)

    def _receive(self, timeout: float) -> tuple[int, list[Any]]:
        sock = self._socket
        pending = isinstance(sock, ssl.SSLSocket) and sock.pending()
        if not pending and not _readable(sock, timeout):
            return 0, []
        answers: list[Any] = []
        taken = 0
        sock.settimeout(0.0)
        try:
            while taken < MAX_RECEIVE_BYTES:
                try:
                    data = sock.recv(_RECV_BYTES)
                except (BlockingIOError, ssl.SSLWantReadError):
                    break
                if not data:
                    raise ConnectionError("the server closed the results connection")
                taken += len(data)
                answers += self.frames.feed(data)
        finally:
            with contextlib.suppress(OSError):
                sock.settimeout(PING_TIMEOUT)
        self._heard_at = time.monotonic()
        self._asked_at = None
        return taken, answers


def _readable(sock: Any, timeout: float) -> bool:
    # `select` does not support descriptors beyond 1,023.
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(timeout * 1000.0))
