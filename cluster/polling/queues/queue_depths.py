"""Reads queue depths, by kind of broker, in as few commands as possible.

A number that a broker does not provide is None, with the reason in `notes`; never 0.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from ....model.entities.fault import Fault
from ....model.entities.queue import is_internal
from ....model.observations import QueueGone, QueueMeasured
from ...connection.broker import BrokerConnection
from ...events.roster import Roster
from .amqp_depths import AmqpDepths
from .redis_bindings import OTHER_WAYS
from .redis_depths import RedisDepths

if TYPE_CHECKING:
    from kombu.connection import Connection


class OtherDepths:
    """Any other transport, if kombu can count its messages."""

    latency: float | None = None
    found: frozenset[str] = frozenset()

    def __init__(self, connection: Connection, scheme: str) -> None:
        self._channel = connection.default_channel
        self._scheme = scheme
        self.fault: Fault | None = Fault(
            "unsupported",
            f"queues cannot be listed on {scheme}://, so a queue without consumers is found only "
            "if a task-sent event names it",
            OTHER_WAYS,
        )

    def measure(self, names: frozenset[str]) -> Iterator[QueueMeasured | QueueGone]:
        """Yield the depth of each named queue."""
        for name in sorted(name for name in names if not is_internal(name)):
            waiting, notes = self._size(name)
            yield QueueMeasured(name, time.time(), waiting=waiting, notes=notes)

    def _size(self, name: str) -> tuple[int | None, tuple[str, ...]]:
        # Every virtual transport of kombu that can count implements this; there is no public name.
        count = getattr(self._channel, "_size", None)
        if count is None:
            return None, (f"kombu cannot count messages on {self._scheme}://",)
        try:
            return int(count(name)), ()
        except Exception as error:  # each transport's own library raises its own
            reason = " ".join(str(error).split()) or type(error).__name__
            return None, (f"cannot count messages: {reason}",)


def depths(
    connection: Connection,
    broker: BrokerConnection,
    roster: Roster,
    found: Collection[str] = (),
) -> RedisDepths | AmqpDepths | OtherDepths:
    """Return the reader of queue depths for a connection; more may become known in `roster`.

    `found` are the queues that were found over earlier connections, as its attribute of this name.
    """
    if broker.is_redis:
        return RedisDepths(connection, broker, roster.exchanges, found)
    if broker.is_amqp:
        return AmqpDepths(connection, broker, roster, found)
    return OtherDepths(connection, broker.scheme)
