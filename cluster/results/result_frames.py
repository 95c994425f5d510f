"""The messages that Redis publishes for tasks: of each known task, only the last is kept.

Celery publishes every state of every task of every project on the server, including results, and
most of them are irrelevant here.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final, NamedTuple

from ..connection.redis.channel import ChannelFrames
from ..connection.redis.keys import exactly

MAX_PAYLOAD_BYTES: Final = 256 << 10
"""Bytes of a payload that is kept whole; of a larger one only the beginning is kept."""
HEAD_BYTES: Final = 64
"""Bytes of that beginning: enough for the state, which Celery writes first."""


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


class ResultFrames(ChannelFrames):
    """Extracts the last payload of each known task from the bytes of a subscription.

    Args:
        prefix: The prefix of all channels; the rest of a channel's name is the task's id.
        known: The ids of the tasks whose payloads are kept.
    """

    def __init__(self, prefix: str, known: Container[str]) -> None:
        super().__init__(exactly(prefix) + "*")
        self._prefix = len(prefix.encode())
        self._known = known
        self.latest: dict[str, Payload] = {}
        """The last payload by id; the reader replaces the dict."""
        self.unknown: dict[str, bytes] = {}
        """Beginnings of the payloads of unknown tasks, by id."""
        self.received = 0
        """Number of messages received."""

    def _message(self, data: bytes, channel: int, channel_end: int, start: int, size: int) -> int:
        id_ = data[channel + self._prefix : channel_end].decode(errors="replace")
        if id_ not in self.latest and id_ not in self._known:
            self.unknown[id_] = data[start : min(start + HEAD_BYTES, start + size)]
        else:
            wanted = size if size <= MAX_PAYLOAD_BYTES else HEAD_BYTES
            if start + wanted > len(data):
                return wanted
            self.latest[id_] = Payload(data[start : start + wanted], size)
        self.received += 1
        return 0
