"""A pattern subscription to channels of Redis, parsed directly from the socket.

A client library takes 30 to 50 microseconds to turn a message into lists; here the channel name is
compared in place, and what is not wanted is skipped. The protocol is RESP2
(https://redis.io/docs/latest/develop/reference/protocol-spec/): a message is `*4`, then `pmessage`,
the pattern, the channel and the payload, each behind its length.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from typing import Any, Final, Generic, TypeVar

from ..faults.errors import Unresponsive
from ..metering import socket_of

PING_TIMEOUT: Final = 5.0
"""Seconds for the reply to a ping."""
PATIENT_ROUND_TRIPS: Final = 4.0
"""The same in round trips, over a slow link."""
MAX_RECEIVE_BYTES: Final = 8 << 20
"""Bytes received in one call; if reached, there are probably more."""
_RECV_BYTES: Final = 128 << 10
"""Bytes of one read: less than glibc would map and unmap each time."""


class ChannelRefused(Exception):
    """The server refused the subscription; the text is its own."""


class ChannelFrames:
    """Splits the bytes of a pattern subscription into messages, in any pieces.

    A subclass implements `_message`.

    Args:
        pattern: The pattern that is subscribed to.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        text = pattern.encode()
        self._head = b"*4\r\n$8\r\npmessage\r\n$%d\r\n%s\r\n$" % (len(text), text)
        self._pieces: list[bytes] = []
        self._missing = 0
        """Bytes that the beginning in `_pieces` needs at least to be complete."""
        self._skip = 0

    def feed(self, data: bytes) -> list[Any]:
        """Parse received bytes; return the replies among them, which are not messages."""
        if self._skip:
            if len(data) <= self._skip:
                self._skip -= len(data)
                return []
            data = data[self._skip :]
            self._skip = 0
        if self._pieces:
            self._pieces.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return []
            data = b"".join(self._pieces)
            self._pieces.clear()
        head, length = self._head, len(data)
        position, answers = 0, []
        while position < length:
            if data.startswith(head, position):
                start = position + len(head)
                end = data.find(b"\r\n", start)
                channel_end = end + 2 + int(data[start:end]) if end >= 0 else length
                payload = data.find(b"\r\n", channel_end + 3) + 2
                if payload < 2:
                    break
                size = int(data[channel_end + 3 : payload - 2])
                needed = self._message(data, end + 2, channel_end, payload, size)
                if needed:
                    self._missing = payload + needed - length
                    break
                position = payload + size + 2
            else:
                answer, end = _answer(data, position)
                if end < 0:
                    break
                answers.append(answer)
                position = end
        if position < length:
            self._pieces.append(data[position:])
        else:
            self._skip = position - length
        return answers

    def _message(self, data: bytes, channel: int, channel_end: int, start: int, size: int) -> int:
        """Take a message; called as soon as its payload's size is known.

        Args:
            data: The received bytes.
            channel: Where the channel's name begins.
            channel_end: Where it ends.
            start: Where the payload begins.
            size: The payload's size in bytes; it may reach beyond `data`.

        Returns:
            0 if it was taken. Otherwise the number of the payload's bytes that are needed: it is
            called again when they have arrived.
        """
        raise NotImplementedError


F = TypeVar("F", bound=ChannelFrames)


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


class RedisChannel(Generic[F]):
    """A subscription over a connection of its own.

    Args:
        connection: A redis-py connection, not connected and not shared.
        frames: Parses the received bytes.

    Raises:
        ChannelRefused: The server refused the subscription.
        Exception: Any error of redis-py when it cannot connect.
    """

    def __init__(self, connection: Any, frames: F) -> None:
        self.frames = frames
        self._connection = connection
        self._heard_at = time.monotonic()
        self._pinged_at: float | None = None
        self._round_trip = 0.0
        connection.connect()
        self._wakes, self._waker = socket.socketpair()
        self._wakes.setblocking(False)
        self._waker.setblocking(False)
        try:
            self._socket: Any = socket_of(connection)
            connection.send_command("PSUBSCRIBE", frames.pattern, check_health=False)
            self._confirm()
        except BaseException:
            self.close()
            raise

    def receive(self, timeout: float, most: int = MAX_RECEIVE_BYTES) -> int:
        """Wait up to `timeout` seconds for data; parse what has arrived, return its bytes.

        Args:
            timeout: Seconds.
            most: Bytes after which it returns although there may be more.

        Raises:
            OSError: The connection is lost.
        """
        return self._receive(timeout, most)[0]

    def wake(self) -> None:
        """Let `receive` return now, or its next call without waiting; from any thread."""
        with contextlib.suppress(OSError):  # closed meanwhile, or woken often enough
            self._waker.send(b"\0")

    def check(self, silence: float) -> None:
        """Send a ping after `silence` seconds without data.

        A half-open socket accepts pings; only the missing reply shows that it is dead.

        Raises:
            Unresponsive: A ping was not answered in time.
            OSError: The connection is lost.
        """
        now = time.monotonic()
        if self._pinged_at is None:
            if now - self._heard_at >= silence:
                self.ping()
        elif now - self._pinged_at > max(PING_TIMEOUT, PATIENT_ROUND_TRIPS * self._round_trip):
            raise Unresponsive("pings on the subscription's connection are not answered")

    def ping(self) -> None:
        """Send a ping, unless one is unanswered."""
        if self._pinged_at is None:
            self._pinged_at = time.monotonic()
            self._connection.send_command("PING", check_health=False)

    def unsubscribe(self) -> None:
        """End the subscription, and wait until the server no longer counts it.

        Raises:
            OSError: The connection is lost.
        """
        self._connection.send_command("PUNSUBSCRIBE", check_health=False)
        deadline = time.monotonic() + PING_TIMEOUT
        while time.monotonic() < deadline:
            answers = self._receive(0.1, MAX_RECEIVE_BYTES)[1]
            if any(isinstance(one, list) and one[0] == b"punsubscribe" for one in answers):
                return

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(Exception):
            self._connection.disconnect()
        self._wakes.close()
        self._waker.close()

    def _confirm(self) -> None:
        """Wait for the reply: only it shows whether the subscription was refused."""
        while True:
            for answer in self._receive(1.0, MAX_RECEIVE_BYTES)[1]:
                if isinstance(answer, ChannelRefused):
                    raise answer
                return
            self.check(PING_TIMEOUT)

    def _receive(self, timeout: float, most: int) -> tuple[int, list[Any]]:
        sock = self._socket
        pending = isinstance(sock, ssl.SSLSocket) and sock.pending()
        if not pending and not self._readable(timeout):
            return 0, []
        answers: list[Any] = []
        taken = 0
        sock.settimeout(0.0)
        try:
            while taken < most:
                try:
                    data = sock.recv(_RECV_BYTES)
                except (BlockingIOError, ssl.SSLWantReadError):
                    break
                if not data:
                    raise ConnectionError("Connection closed by server")
                taken += len(data)
                answers += self.frames.feed(data)
        finally:
            with contextlib.suppress(OSError):
                sock.settimeout(PING_TIMEOUT)
        self._heard_at = time.monotonic()
        if self._pinged_at is not None:
            self._round_trip = self._heard_at - self._pinged_at
            self._pinged_at = None
        return taken, answers

    def _readable(self, timeout: float) -> bool:
        """Wait until there is data, or `wake` is called; return whether there is data."""
        # `select` does not support descriptors beyond 1,023.
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._wakes, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(timeout * 1000.0)}
        if self._wakes.fileno() in ready:
            with contextlib.suppress(BlockingIOError):
                self._wakes.recv(1024)
        return self._socket.fileno() in ready
