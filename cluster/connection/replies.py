"""The replies of workers to remote-control commands, and the faults of those that are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ...model.entities.fault import NO_REPLY as NO_REPLY
from ...model.entities.fault import UNREADABLE, Fault

SERIALIZERS: Final = {
    "application/x-python-serialize": "pickle",
    "application/x-msgpack": "msgpack",
    "application/x-yaml": "YAML",
}
"""Names of the serializers of replies, by content type."""


def unreadable_fault(serializer: str, which: str = "its replies") -> Fault:
    """Return the fault of a worker whose replies are in a serializer that is not accepted."""
    return Fault(
        UNREADABLE,
        f"{which} in {serializer} cannot be read",
        "celtop reads JSON, and msgpack if its package is installed and accept_content lists it. "
        "The replies of a worker are in its task_serializer",
    )


def joined(serializers: Iterable[str]) -> str:
    """Return the names of serializers, each once; it is unknown which worker uses which."""
    return " or ".join(sorted(set(serializers), key=str.lower))


class Reply(NamedTuple):
    """The reply of one worker to one command."""

    worker: str
    command: str
    value: Any
    error: str | None
    repeated: bool = False
    """Whether another worker of this name has replied to the same command."""


class Replies:
    """The replies to commands that were sent together; late ones are added as they come.

    A reply that cannot be read does not name its sender. But if as many came as replies of the
    `addressed` workers are missing, they are these; without an address any worker may have replied.
    """

    def __init__(
        self,
        commands: Iterable[str],
        on_reply: Callable[[Reply], object] | None = None,
        *,
        addressed: bool = False,
    ) -> None:
        self._unreadable: dict[str, list[str]] = {command: [] for command in commands}
        self._addressed = addressed
        self.duplicates: set[str] = set()
        """Names that more than one worker has replied under."""
        self._by_command: dict[str, dict[str, Reply]] = {
            command: {} for command in self._unreadable
        }
        self._on_reply = on_reply
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, command: str, worker: str) -> int:
        """Return the number of replies to a command under a name, which workers may share."""
        return self._counts[command, worker]

    def add(self, reply: Reply) -> None:
        """Add a reply; if two workers have the same name, an error takes precedence."""
        replies = self._by_command[reply.command]
        self._counts[reply.command, reply.worker] += 1
        if reply.worker in replies:
            self.duplicates.add(reply.worker)
            reply = reply._replace(repeated=True)
        if reply.worker not in replies or reply.error is not None:
            replies[reply.worker] = reply
        if self._on_reply is not None:
            self._on_reply(reply)

    def add_unreadable(self, command: str, serializer: str) -> None:
        """Add a reply in a serializer that is not accepted, or that could not be decoded."""
        self._unreadable[command].append(serializer)

    def missing(self, workers: Collection[str] | None) -> int:
        """Return about how many replies of these workers are missing; None is one, unknown."""
        received = self._counts.total() + sum(map(len, self._unreadable.values()))
        return len(self._by_command) * max(1, len(workers or ())) - received

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that were sent."""
        return tuple(self._by_command)

    @property
    def unreadable(self) -> frozenset[str]:
        """The serializers of the replies that cannot be read."""
        return frozenset().union(*self._unreadable.values())

    def count_unreadable(self, command: str) -> int:
        """Return the number of replies to a command that cannot be read."""
        return len(self._unreadable[command])

    def unreadable_from(self, missing: Collection[str], command: str) -> str | None:
        """Return the serializers of the missing workers if all of them replied to a command."""
        found = self._unreadable[command]
        return joined(found) if self._addressed and 0 < len(missing) <= len(found) else None

    def to(self, command: str) -> Mapping[str, Reply]:
        """Return the replies to a command by worker."""
        return self._by_command[command]

    def values(self) -> dict[str, dict[str, Any]]:
        """Return all values by worker and command, without errors."""
        values: dict[str, dict[str, Any]] = {}
        for command, replies in self._by_command.items():
            for name, reply in replies.items():
                if reply.error is None:
                    values.setdefault(name, {})[command] = reply.value
        return values

    def complete(self, workers: Collection[str]) -> bool:
        """Return whether all of these workers have replied to all commands, readably or not.

        A name that several workers share is in `workers` once for each.
        """
        shared = Counter(workers) if len(set(workers)) < len(workers) else Counter()
        return all(
            not (missing := set(workers) - replies.keys())
            or self.unreadable_from(missing, command) is not None
            for command, replies in self._by_command.items()
        ) and all(
            self.count(command, name) >= number
            for name, number in shared.items()
            if number > 1
            for command in self._by_command
        )
