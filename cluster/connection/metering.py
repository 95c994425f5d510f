"""Watches kombu's Redis and AMQP connections: counts their commands, and can cut them.

Every command costs the user latency or money, so the commands of all our connections are counted.
And since a broker that accepts connections but never replies blocks a thread forever, each open
connection is registered with a `ConnectionMeter`, which can cut it from another thread.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, Final

COMMANDS_PER_MINUTE: Final = 10.0
"""By which a budget grows after a minute: workers that start later are inspected too."""


class ConnectionMeter:
    """The connections of one session to its broker: counts their commands and can cut them.

    Args:
        budget: Number of commands up to which the session sends optional ones in the first minute;
            later there are more.
    """

    def __init__(self, budget: float = math.inf) -> None:
        self.is_limited = budget < math.inf
        """Whether there is a budget."""
        self._budget = budget
        self._started_at = time.monotonic()
        self._lock = threading.Lock()
        self._sent = 0
        self._own = threading.local()
        self._open: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self.sending_fails = threading.Event()
        """Set by any thread when an alarm was reported to its connection, or no worker replied: the
        receiver finds out whether the broker accepts messages, and clears it."""

    @property
    def sent(self) -> int:
        """Number of commands sent so far."""
        return self._sent

    @property
    def spare(self) -> float:
        """Number of optional commands that may still be sent; infinite without a budget."""
        minutes = max(0.0, (time.monotonic() - self._started_at) / 60.0 - 1.0)
        return self._budget + minutes * COMMANDS_PER_MINUTE - self._sent

    def allow(self, commands: float) -> None:
        """Add commands to the budget."""
        self._budget += commands

    @property
    def sent_by_thread(self) -> int:
        """Number of commands that this thread has sent so far."""
        return getattr(self._own, "sent", 0)

    def count(self, commands: int = 1) -> None:
        """Count commands that are about to be sent."""
        self._own.sent = self.sent_by_thread + commands
        with self._lock:
            self._sent += commands

    def add(self, connection: Any) -> None:
        """Register a connection of this thread, which `socket_of` finds a socket in."""
        with self._lock:
            self._open[connection] = threading.get_ident()

    def cut(self, thread: int | None = None) -> None:
        """Shut down the connections of all threads, or of one: a blocked read fails at once."""
        with self._lock:
            cut = [one for one, owner in self._open.items() if thread in (None, owner)]
        for connection in cut:
            sock = socket_of(connection)
            if sock is not None:
                with contextlib.suppress(OSError, ValueError):
                    sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Cut this thread's connections if the block takes longer than `seconds`."""
        timer = threading.Timer(seconds, self.cut, [threading.get_ident()])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def socket_of(connection: Any) -> socket.socket | None:
    """Return the socket of an AMQP or Redis connection; None if it has none.

    Neither library has a public attribute that does not connect first; kombu uses the same names.
    """
    transport = getattr(connection, "_transport", None)
    return getattr(transport, "sock", None) or getattr(connection, "_sock", None)


def metered_transport(transport: type[Any], meter: ConnectionMeter) -> type[Any]:
    """Return a subclass of a Redis or AMQP transport that counts on `meter`; others unchanged.

    Commands are counted at the lowest level that distinguishes them.
    """
    if transport.driver_type == "redis":
        return _metered_redis(transport, meter)
    if transport.driver_name == "py-amqp":
        return _metered_amqp(transport, meter)
    return transport


def metered_connection(connection: type[Any], meter: ConnectionMeter) -> type[Any]:
    """Return a subclass of a redis-py connection class that counts on `meter`."""

    class Metered:
        """Mixed into the connection class of the URL: TCP, TLS, Unix socket or Sentinel."""

        def connect(self) -> None:
            meter.add(self)
            # Naming the library to the server would cost two round trips for each connection.
            self.driver_info = self.lib_name = self.lib_version = None
            super().connect()  # type: ignore[misc]

        def send_command(self, *args: Any, **kwargs: Any) -> None:
            meter.count()
            super().send_command(*args, **kwargs)  # type: ignore[misc]

        def pack_commands(self, commands: Iterable[Any]) -> Any:
            batch = list(commands)
            meter.count(len(batch))
            return super().pack_commands(batch)  # type: ignore[misc]

    return type(connection.__name__, (Metered, connection), {})


def _metered_redis(transport: type[Any], meter: ConnectionMeter) -> type[Any]:
    from redis import VERSION
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    class Channel(transport.Channel):  # type: ignore[misc, name-defined]
        # The only hook through which kombu lets a subclass choose how redis-py connects;
        # kombu's own Sentinel channel is built on it as well.
        def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
            params: dict[str, Any] = super()._connparams(asynchronous)
            params["connection_class"] = metered_connection(params["connection_class"], meter)
            # redis-py would retry for seconds and hide the first failure; we report it at once and
            # retry ourselves.
            params["retry"] = Retry(NoBackoff(), 0)
            if VERSION >= (5, 0):
                # The same replies in every version of redis-py, and no handshake for RESP3.
                params["protocol"] = 2
            return params

    return type(transport.__name__, (transport,), {"Channel": Channel})


def _metered_amqp(transport: type[Any], meter: ConnectionMeter) -> type[Any]:
    class Channel(transport.Connection.Channel):  # type: ignore[misc, name-defined]
        def send_method(self, *args: Any, **kwargs: Any) -> Any:
            meter.count()
            return super().send_method(*args, **kwargs)

    from amqp import spec

    class Connection(transport.Connection):  # type: ignore[misc, name-defined]
        # py-amqp does not read the reason of an alarm.
        _METHODS = transport.Connection._METHODS | {
            spec.Connection.Blocked: spec.method(spec.Connection.Blocked, "s")
        }

        def connect(self, callback: Any = None) -> Any:
            meter.add(self)
            return super().connect(callback)

        def send_method(self, *args: Any, **kwargs: Any) -> Any:
            meter.count()
            return super().send_method(*args, **kwargs)

        def _on_blocked(self, reason: str = "") -> Any:
            meter.sending_fails.set()
            return self.on_blocked(reason) if self.on_blocked else None

    Connection.Channel = Channel
    return type(transport.__name__, (transport,), {"Connection": Connection})
