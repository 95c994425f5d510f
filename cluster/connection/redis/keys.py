"""The Redis keys in which kombu keeps queues, and patterns for keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from ....model.text.topics import topic_matches

_ESCAPED: Final = str.maketrans({letter: f"\\{letter}" for letter in "*?[]^\\"})


class Binding(NamedTuple):
    """A binding of a queue to an exchange."""

    routing_key: str
    is_pattern: bool
    """Whether the routing key has wildcards: `*` is one word, `#` any number (topic exchanges)."""
    queue: str


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

    def binding(self, member: bytes | str) -> Binding:
        """Return a member of a set of bindings: routing key, pattern and queue."""
        text = member.decode(errors="replace") if isinstance(member, bytes) else member
        parts = text.split(self.separator)
        return Binding(parts[0] if len(parts) > 1 else "", any(parts[1:-1]), parts[-1])


def bound_queue(bindings: Iterable[Binding], routing_key: str) -> str | None:
    """Return the queue that an exchange's bindings route a key to; None unless it is one."""
    queues = {one.queue for one in bindings if routes(one, routing_key)}
    return queues.pop() if len(queues) == 1 else None


def routes(binding: Binding, routing_key: str) -> bool:
    """Return whether a message with this routing key goes to the binding's queue."""
    if not binding.is_pattern:
        return binding.routing_key == routing_key
    return topic_matches(binding.routing_key, routing_key)


def exactly(text: str) -> str:
    """Return a Redis pattern that matches only this text."""
    return text.translate(_ESCAPED)
