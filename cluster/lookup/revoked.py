"""Reads the lists of revoked tasks that workers keep in memory."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator

from ...model.observations import InspectReply
from ..connection.broker import BrokerConnection
from ..connection.remote_control import RemoteControl


def read_revoked(broker: BrokerConnection, workers: Collection[str]) -> Iterator[InspectReply]:
    """Yield the reply of each worker to `inspect revoked`.

    Raises:
        Exception: Any error of the transport.
    """
    with broker.connection() as connection:
        control = RemoteControl(connection, broker)
        replies = control.gather(["revoked"], workers)
        control.close()
    for reply in replies.to("revoked").values():
        yield InspectReply(reply.worker, "revoked", reply.value, time.time(), reply.error)
