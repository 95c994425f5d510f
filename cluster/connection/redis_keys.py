"""The Redis keys in which kombu keeps queues, and patterns for keys."""

from __future__ import annotations

from typing import Any, Final

_ESCAPED: Final = str.maketrans({letter: f"\\{letter}" for letter in "*?[]^\\"})


class QueueKeys:
    """The keys of a broker's queues."""

    def __init__(self, channel: Any, prefix: str) -> None:
        self.prefix = prefix
        """The prefix of all keys (`global_keyprefix`)."""
        self.separator: str = channel.sep
        """Separates the parts of a binding, and a queue from its priority step."""
        self.steps: tuple[int, ...] = tuple(channel.priority_steps)
        """The priority steps, the highest priority first."""
        self.other_steps: tuple[int, ...] = tuple(set(range(10)).difference(self.steps))
        """Steps that are not configured here, but may be in the app."""
        self.unacked: str = prefix + channel.unacked_key
        """The hash of all unacknowledged messages, by delivery tag."""
        self.unacked_index: str = prefix + channel.unacked_index_key
        """The sorted set of their delivery tags, by the time when a worker received them."""
        self.bindings: str = prefix + channel.keyprefix_queue % ""
        """The prefix of the sets of bindings; the rest is the exchange."""

    def list_of(self, queue: str, step: int) -> str:
        """Return the key of the list for a queue and priority step."""
        return self.prefix + queue + (f"{self.separator}{step}" if step else "")


def exactly(text: str) -> str:
    """Return a Redis pattern that matches only this text."""
    return text.translate(_ESCAPED)
