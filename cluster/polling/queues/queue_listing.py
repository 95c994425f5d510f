"""Lists the queues of RabbitMQ's virtual host with its management API.

There are two requests. One is cheap for the broker and returns ready and unacknowledged messages:
those of classic queues at once, of quorum queues up to five seconds late. The other returns the
statistics, about ten seconds late: consumers, bytes and rates.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from ....model.entities.fault import Fault
from ....model.entities.messages.delayed import Delayed, DelayLevel, delivery_exchange, level_of
from ....model.text.coerce import to_float, to_int
from ...connection.management_api import ManagementApi, ManagementError

MAX_LISTED: Final = 10_000
"""Queues that are kept, those with messages first."""
STATISTICS_INTERVAL: Final = 10.0
"""Seconds between two requests for statistics."""
BINDINGS_INTERVAL: Final = 60.0
"""Seconds between two requests for the bindings of delayed delivery."""
RETRY_INTERVAL: Final = 60.0
"""Seconds until the API is asked again after it failed."""
REFRESH_TIMEOUT: Final = 1.0
"""Seconds that a measurement waits for a list; otherwise it uses the one before."""
MAX_SHARE: Final = 0.05
"""The part of the time that requests may take: in large clusters they take seconds."""
MAX_BINDINGS: Final = 2_000
"""Bindings of delayed delivery that are read."""
_MESSAGES: Final = (
    "name,type,arguments.x-max-priority,messages,messages_ready,messages_unacknowledged"
)
_STATISTICS: Final = (
    "name,exclusive,consumers,message_bytes,message_stats.publish_details.rate,"
    "message_stats.deliver_get_details.rate"
)
_MESSAGES_QUERY: Final = f"disable_stats=true&enable_queue_totals=true&columns={_MESSAGES}"
TOO_MANY: Final = Fault(
    "too-many",
    f"of the queues on RabbitMQ, only {MAX_LISTED:,} are listed",
    "Check whether queues are created per task or per client, and never deleted",
)


class ListedQueue(msgspec.Struct, frozen=True, gc=False):
    """The messages of a queue, as the management API reported them."""

    name: str
    kind: str
    waiting: int | None
    unacked: int | None
    max_priority: int | None
    undeliverable: int = 0
    """Expired messages that the broker cannot pass on to where they belong."""


class QueueStatistics(msgspec.Struct, frozen=True, gc=False):
    """The statistics of a queue."""

    exclusive: bool = False
    """Whether it belongs to one connection, such as a queue for replies."""
    consumers: int | None = None
    message_bytes: int | None = None
    in_per_s: float | None = None
    out_per_s: float | None = None


NO_STATISTICS: Final = QueueStatistics()


class QueueListing:
    """The queues of a virtual host, listed again when that is due, in a thread of its own.

    A firewall that drops packets, or a broker with a high load, does not delay other measurements.
    """

    def __init__(self, api: ManagementApi, vhost: str, *, bindings: bool = True) -> None:
        """`bindings` is whether to ask for the bindings of delayed delivery."""
        self._api = api
        self._vhost = quote(vhost, safe="")
        self._asks_bindings = bindings
        self._thread: threading.Thread | None = None
        self._due = self._statistics_due = self._bindings_due = float("-inf")
        self._statistics: dict[str, QueueStatistics] = {}
        self.delayed: Delayed | None = None
        """The messages of delayed delivery; None if there is none."""
        self.queues: dict[str, ListedQueue] | None = None
        """All queues by name, Celery's own too; None if they cannot be listed, or not yet."""
        self.at = 0.0
        """When they were listed, epoch seconds."""
        self.fault: Fault | None = None
        """Why queues are missing, or all are."""

    @property
    def is_pending(self) -> bool:
        """Whether the first reply of the API has not arrived yet."""
        return self.queues is None and self.fault is None and self._api.is_wanted

    def refresh(self, timeout: float | None = None) -> None:
        """List the queues again if that is due; wait for it at most `timeout` seconds.

        None is `REFRESH_TIMEOUT`.
        """
        if not self._is_running and self._api.is_wanted and time.monotonic() >= self._due:
            self._thread = threading.Thread(
                target=self._refresh, name="celtop-management", daemon=True
            )
            self._thread.start()
        if self._thread is not None:
            self._thread.join(REFRESH_TIMEOUT if timeout is None else timeout)

    def retry(self) -> None:
        """List the queues with the next `refresh`, if they could not be listed."""
        if self.queues is None:
            self._due = float("-inf")

    def close(self) -> None:
        """Close the connection, unless it is in use: the session cuts it when it closes."""
        if not self._is_running:
            self._api.close()

    @property
    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def statistics(self, name: str) -> QueueStatistics:
        """Return the latest statistics of a queue."""
        return self._statistics.get(name, NO_STATISTICS)

    def _refresh(self) -> None:
        started = time.monotonic()
        try:
            listed = [_listed(row) for row in self._rows(_MESSAGES_QUERY)]
            at = time.time()
            self._due = started + _pause(started)
            if time.monotonic() >= self._statistics_due:
                self._refresh_statistics()
            self.delayed = self._delayed(listed, at)
        except ManagementError as error:
            self._due = started + RETRY_INTERVAL
            self.queues, self.delayed, self.fault = None, None, error.fault
            return
        fault = None
        if len(listed) > MAX_LISTED:
            fault = TOO_MANY
            listed = sorted(listed, key=lambda one: -(one.waiting or 0))[:MAX_LISTED]
        self.queues = {one.name: one for one in listed}
        self.at, self.fault = at, fault

    def _refresh_statistics(self) -> None:
        """Read the statistics; if that fails, the old ones stay for a while."""
        started = time.monotonic()
        try:
            rows = self._rows(f"columns={_STATISTICS}")[: 2 * MAX_LISTED]
        except ManagementError:
            self._statistics_due = started + RETRY_INTERVAL
            return
        self._statistics = {str(row.get("name")): _statistics(row) for row in rows}
        self._statistics_due = started + max(STATISTICS_INTERVAL, _pause(started))

    def _delayed(self, listed: Iterable[ListedQueue], at: float) -> Delayed | None:
        levels: dict[int, DelayLevel] = {}
        exchanges = set()
        for queue in listed:
            level = level_of(queue.name)
            if level is None:
                continue
            exchanges.add(delivery_exchange(queue.name, level))
            before = levels.get(level, DelayLevel(level, 0))
            messages = before.messages + (queue.waiting or 0) + queue.undeliverable
            levels[level] = DelayLevel(level, messages, before.undeliverable + queue.undeliverable)
        if not levels:
            return None
        filled = tuple(levels[level] for level in sorted(levels) if levels[level].messages)
        bindings = self.delayed.bindings if self.delayed is not None and filled else None
        if filled and self._asks_bindings and time.monotonic() >= self._bindings_due:
            self._bindings_due = time.monotonic() + BINDINGS_INTERVAL
            bindings = self._read_bindings(exchanges)
        return Delayed(filled, at, bindings)

    def _rows(self, query: str) -> list[Mapping[str, Any]]:
        """Return the queues of the virtual host. In pages, the broker would list all for each."""
        reply = self._api.get(f"queues/{self._vhost}?{query}")
        return [row for row in reply if isinstance(row, Mapping)] if isinstance(reply, list) else []

    def _read_bindings(self, exchanges: set[str]) -> tuple[str, ...] | None:
        """Return the routing keys with which delayed messages are delivered; None if unknown."""
        found = []
        for exchange in sorted(exchanges):
            path = f"exchanges/{self._vhost}/{quote(exchange, safe='')}/bindings/source"
            try:
                reply = self._api.get(f"{path}?columns=routing_key")
            except ManagementError:
                return None
            if isinstance(reply, list) and len(reply) <= MAX_BINDINGS:
                found += [one.get("routing_key") for one in reply if isinstance(one, Mapping)]
            else:
                return None
        return tuple(key for key in found if isinstance(key, str))


def _pause(started: float) -> float:
    """Return the seconds for which no further request is due, by the time that they took."""
    return (time.monotonic() - started) / MAX_SHARE


def _listed(row: Mapping[str, Any]) -> ListedQueue:
    arguments = row.get("arguments")
    priority = arguments.get("x-max-priority") if isinstance(arguments, Mapping) else None
    messages, waiting, unacked = (
        to_int(row.get(key)) for key in ("messages", "messages_ready", "messages_unacknowledged")
    )
    return ListedQueue(
        str(row.get("name")),
        # RabbitMQ before 3.8 has no types: all queues were classic.
        str(row.get("type") or "classic").removeprefix("rabbit_").removesuffix("_queue"),
        waiting,
        unacked,
        to_int(priority),
        undeliverable=max(0, (messages or 0) - (waiting or 0) - (unacked or 0)),
    )


def _statistics(row: Mapping[str, Any]) -> QueueStatistics:
    return QueueStatistics(
        row.get("exclusive") is True,
        to_int(row.get("consumers")),
        to_int(row.get("message_bytes")),
        _rate(row, "publish_details"),
        _rate(row, "deliver_get_details"),
    )


def _rate(row: Mapping[str, Any], details: str) -> float | None:
    stats = row.get("message_stats")
    if not isinstance(stats, Mapping):
        return None
    found = stats.get(details)
    # What has never happened is missing.
    return to_float(found.get("rate")) if isinstance(found, Mapping) else 0.0
