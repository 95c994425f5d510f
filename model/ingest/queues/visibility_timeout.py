"""The visibility timeout of Redis, after which an unacknowledged message is redelivered.

Every worker looks for messages that were received longer ago than its own timeout, and returns them
to their queues (`QoS.restore_visible` in `kombu/transport/redis.py`): the shortest one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ...entities.broker import Broker
from ...entities.worker import Worker

VISIBILITY_TIMEOUT: Final = 3600.0
"""kombu's default, seconds."""


def configured_timeout(worker: Worker | None, broker: Broker) -> float | None:
    """Return the timeout in celtop's settings or in those of a worker; None if neither is known.

    The default counts as known if the worker has reported its settings.
    """
    conf = None if worker is None else worker.conf
    reported = (conf or {}).get("broker_transport_options")
    merged = {**(reported if isinstance(reported, Mapping) else {}), **broker.transport_options}
    seconds = merged.get("visibility_timeout")
    if isinstance(seconds, int | float) and seconds > 0:
        return float(seconds)
    return None if conf is None else VISIBILITY_TIMEOUT


def shortest_timeout(workers: Iterable[Worker], broker: Broker) -> float | None:
    """Return the shortest timeout of these workers; None if it is not known of any."""
    known = [configured_timeout(worker, broker) for worker in workers]
    known = known or [configured_timeout(None, broker)]
    return min((seconds for seconds in known if seconds is not None), default=None)
