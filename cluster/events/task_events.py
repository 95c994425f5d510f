"""Leaves task events as they were found: what celtop enabled, the last celtop disables."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from ..connection.broker import BrokerConnection
from ..connection.remote_control import RemoteControl
from ..connection.replies import Reply
from .enabled_workers import EnabledWorkers
from .other_monitors import other_monitors
from .roster import Roster

if TYPE_CHECKING:
    from kombu.connection import Connection

ENABLED_NOW: Final = "task events enabled"
"""The reply of a worker that did not send task events before (`celery/worker/control.py`); the
others reply `task events already enabled`."""
MAX_READ_DELAY: Final = 300.0
"""Seconds after which a request that a worker was too busy to read is dropped: Celery's
`control_queue_ttl`. Redis keeps it for as long as the worker is connected."""
REPLY_TIMEOUT: Final = 0.4
"""Seconds without a reply after which the remaining workers are left to the next celtop."""


class TaskEvents:
    """The task events that this session, and earlier ones on this machine, have enabled."""

    def __init__(self, broker: BrokerConnection, roster: Roster) -> None:
        self._broker = broker
        self._roster = roster
        self._file = EnabledWorkers()
        self._unrecorded: set[str] = set()
        self._asked_at = -math.inf
        self._replied: set[str] = set()

    def asked(self) -> None:
        """Remember that `enable_events` is being sent."""
        self._asked_at = time.monotonic()

    def replied(self, reply: Reply) -> None:
        """Remember a worker that was not sending task events before `enable_events`.

        Raises:
            OSError: The file cannot be written; this session remembers the worker all the same.
        """
        self._replied.add(reply.worker)
        value = reply.value.get("ok") if isinstance(reply.value, dict) else None
        if value != ENABLED_NOW or self._broker.settings.events == "always":
            return
        self._unrecorded.add(reply.worker)
        self._file.add(self._broker.identity, reply.worker, time.time())
        self._unrecorded.discard(reply.worker)

    def leave(self, connection: Connection, control: RemoteControl) -> None:
        """Disable what celtop has enabled, unless another monitor receives task events.

        Workers that do not reply stay in the file, for the next celtop. Those that may yet read the
        request to enable them are sent one to disable them, which they read next. Call it when the
        session's own subscription has ended.

        Raises:
            Exception: Any error of the transport, or of the file.
        """
        cluster, settings = self._broker.identity, self._broker.settings
        enabled = {*self._file.all(cluster), *self._unrecorded}
        if settings.events == "always":
            self._file.forget(cluster, enabled)
            return
        # A worker with a busy solo pool reads the request later, in the order of sending.
        is_pending = time.monotonic() - self._asked_at < MAX_READ_DELAY
        if not (enabled or is_pending):
            return
        if other_monitors(connection, settings.event_exchange) is not False:
            return
        if not enabled:
            control.broadcast_except("disable_events", self._replied)
            return
        replies = control.gather(
            ["disable_events"],
            enabled.intersection(self._roster.present()),
            destination=None if is_pending else sorted(enabled),
            excluded=self._replied - enabled if is_pending else (),
            quiet_period=REPLY_TIMEOUT,
        )
        self._file.forget(cluster, replies.to("disable_events").keys())
