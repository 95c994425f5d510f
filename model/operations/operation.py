"""The base of all operations: a name, words for the outcome, workers and targets."""

from __future__ import annotations

import re
from typing import ClassVar, NamedTuple

import msgspec

from ..text.phrases import counted, named


class Words(NamedTuple):
    """How an operation's outcome is worded: `Grew` / `Growing` / `Grow` `the pool of w1 by 2`."""

    past: str
    progressive: str
    infinitive: str
    object: str = "{workers}"
    """A format of the operation (`{0.queue}`), its `workers`, `pools`, `tasks` and `targets`."""


class Operation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A change to the cluster, or a read-only question to its workers.

    Everything that follows from the kind of an operation alone stands on its class. Only
    `cluster/control.py` carries operations out.
    """

    words: ClassVar[Words]
    read_only: ClassVar[bool] = False
    """Whether it changes nothing, and its result is the workers' replies: it runs without
    confirmation, even with `--read-only`."""
    refresh_after: ClassVar[bool] = False
    """Whether no event reports its effect: workers and queues are asked again afterwards."""

    @property
    def name(self) -> str:
        """The name in JSON: `PoolGrow` is `pool-grow`."""
        return operation_name(type(self))

    @property
    def expected_workers(self) -> tuple[str, ...]:
        """The workers that are expected to reply."""
        return getattr(self, "workers", ())

    @property
    def targets(self) -> tuple[str, ...]:
        """What has a verdict in the outcome: task ids, stamps, workers, or a queue.

        Tasks that have yet to be sent have no id: their targets are added as they are sent.
        """
        return self.expected_workers

    def phrase(self) -> Words:
        """Return its words with its own targets and numbers in them."""
        return self.filled(self.words)

    def filled(self, words: Words) -> Words:
        """Return words with the fields of the operation in their object."""
        workers = self.expected_workers
        one = workers[0] if len(workers) == 1 else None
        filled = words.object.format(
            self,
            workers=one or counted(len(workers), "worker"),
            pools=f"the pool of {one}" if one else counted(len(workers), "pool"),
            tasks=counted(len(self.targets), "task"),
            targets=named(self.targets),
        )
        return words._replace(object=filled)


def operation_name(type_: type[Operation]) -> str:
    """Return the name of a type of operations in JSON."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type_.__name__).lower()
