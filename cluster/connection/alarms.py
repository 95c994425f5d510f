"""Why a broker accepts no messages although it is connected: its alarms and refused writes.

RabbitMQ sends `connection.blocked` to a connection that publishes while a resource alarm is raised,
and reads nothing more from it until the alarm is cleared: any request over it waits. Redis refuses
every command that writes. Either way workers can send no heartbeats, events and replies, while
subscriptions and queue depths keep working.
"""

from __future__ import annotations

import math
import time
import uuid
from typing import TYPE_CHECKING, Final

from ...model.entities.fault import Fault
from .broker import BrokerConnection
from .faults.errors import address_of, explain

if TYPE_CHECKING:
    from kombu.connection import Connection

REFUSAL_KINDS: Final = frozenset({"memory", "replica", "writes"})
"""Faults of a Redis server that accepts connections but refuses to write."""

_REMEDIES: Final = {
    "memory": "free memory or raise vm_memory_high_watermark",
    "disk": "free disk space or lower disk_free_limit",
}


def alarm(reason: str, broker: BrokerConnection) -> Fault:
    """Return the fault of a `connection.blocked`, whose reason is `low on memory` or the like."""
    resources = [resource for resource in _REMEDIES if resource in reason]
    named = " and ".join(resources)
    what = f"{named} alarm" if resources else broker.hide(reason)
    remedies = ", ".join(_REMEDIES[resource] for resource in resources)
    advice = "Until it clears, workers cannot send heartbeats, events or replies"
    return Fault(
        resources[0] if resources else "blocked",
        f"{address_of(broker)} accepts no messages: {what}",
        f"{advice}; {remedies}" if remedies else advice,
    )


def refusal(connection: Connection, broker: BrokerConnection) -> Fault | None:
    """Return why a Redis server refuses all writes; None if it does not, or the broker is another.

    Raises:
        Exception: Any error of the connection.
    """
    error = write_error(connection)
    broker.writable_at = time.monotonic() if error is None else -math.inf
    fault = None if error is None else explain(error, broker)
    return fault if fault is not None and fault.kind in REFUSAL_KINDS else None


def write_error(connection: Connection) -> Exception | None:
    """Send a command that would write if its key existed; return the error that it is answered.

    Only Redis has such a command: over another transport nothing is sent.

    Raises:
        Exception: Any error of the connection.
    """
    if connection.transport.driver_type != "redis":
        return None
    from redis import Redis
    from redis.exceptions import ResponseError

    channel = connection.default_channel
    # A key that is never created, of a kind that the user of the broker may write.
    key = f"{channel.global_keyprefix}{uuid.uuid4()}.reply.celery.pidbox"
    try:
        Redis(connection_pool=channel.pool).lpushx(key, b"")
    except ResponseError as error:
        return error
    return None
