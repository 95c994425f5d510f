"""kombu's Redis and AMQP transports, counting what they send and breakable from outside.

Every command costs the user latency or money, so all that leaves through any of our connections is
counted. And since a broker that accepts but never answers blocks a thread for ever, each open link
is known to a `ConnectionMeter`, which can cut it from another thread.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any


class ConnectionMeter:
    """All links of one session to its broker: what went over them, and a way to cut them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent = 0
        self._links: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    @property
    def sent(self) -> int:
        """How many commands were sent so far."""
        return self._sent

    def count(self, commands: int = 1) -> None:
        """Count commands that are about to be sent."""
        with self._lock:
            self._sent += commands

    def add(self, link: Any) -> None:
        """Remember a link of this thread: anything that `socket_of` finds a socket in."""
        with self._lock:
            self._links[link] = threading.get_ident()

    def cut(self, thread: int | None = None) -> None:
        """Wake every thread, or just one, that waits on a link: its read fails at once."""
        with self._lock:
            links = [one for one, owner in self._links.items() if thread in (None, owner)]
        for link in links:
            sock = socket_of(link)
            if sock is not None:
                with contextlib.suppress(OSError, ValueError):
                    sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Cut this thread's links if what it does in here takes longer than `seconds`."""
        timer = threading.Timer(seconds, self.cut, [threading.get_ident()])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def socket_of(link: Any) -> socket.socket | None:
    """Return the socket of an AMQP or Redis connection, None if it has none.

    Neither library has a public way to it that does not connect first; kombu uses the same names.
    """
    transport = getattr(link, "_transport", None)
    return getattr(transport, "sock", None) or getattr(link, "_sock", None)


def metered(transport: type[Any], wire: ConnectionMeter) -> type[Any]:
    """Return a subclass of a kombu transport that counts on `wire`; others come back as they are.

    Redis and AMQP are counted at the lowest level that tells commands apart.
    """
    if transport.driver_type == "redis":
        return _metered_redis(transport, wire)
    if transport.driver_name == "py-amqp":
        return _metered_amqp(transport, wire)
    return transport


def counted(connection: type[Any], wire: ConnectionMeter) -> type[Any]:
    """Return a subclass of one of redis-py's connections that counts on `wire`."""

    class Link:
        """Mixed into whichever connection class the URL asks for: TCP, TLS, socket, sentinel."""

        def connect(self) -> None:
            wire.add(self)
            super().connect()  # type: ignore[misc]

        def send_command(self, *args: Any, **kwargs: Any) -> None:
            wire.count()
            super().send_command(*args, **kwargs)  # type: ignore[misc]

        def pack_commands(self, commands: Iterable[Any]) -> Any:
            batch = list(commands)
            wire.count(len(batch))
            return super().pack_commands(batch)  # type: ignore[misc]

    return type(connection.__name__, (Link, connection), {})


def _metered_redis(transport: type[Any], wire: ConnectionMeter) -> type[Any]:
    from redis import VERSION
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    class Channel(transport.Channel):  # type: ignore[misc, name-defined]
        # The only hook through which kombu lets a subclass choose how redis-py connects;
        # kombu's own Sentinel channel is built on it as well.
        def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
            params: dict[str, Any] = super()._connparams(asynchronous)
            params["connection_class"] = counted(params["connection_class"], wire)
            # redis-py would retry for seconds on its own and hide the first failure; we say at
            # once what is wrong, and try again ourselves.
            params["retry"] = Retry(NoBackoff(), 0)
            if VERSION >= (5, 0):
                # Replies as in every version of redis-py, and no handshake for what we do not use.
                params["protocol"] = 2
            return params

    return type(transport.__name__, (transport,), {"Channel": Channel})


def _metered_amqp(transport: type[Any], wire: ConnectionMeter) -> type[Any]:
    class Channel(transport.Connection.Channel):  # type: ignore[misc, name-defined]
        def send_method(self, *args: Any, **kwargs: Any) -> Any:
            wire.count()
            return super().send_method(*args, **kwargs)

    class Connection(transport.Connection):  # type: ignore[misc, name-defined]
        def connect(self, callback: Any = None) -> Any:
            wire.add(self)
            return super().connect(callback)

    Connection.Channel = Channel
    return type(transport.__name__, (transport,), {"Connection": Connection})
