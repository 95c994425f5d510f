"""A TCP forwarder between one subject and the broker.

It records when the broker first replied to the subject, and the subject's connections.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """The connections that were forwarded."""

    url: str
    upstream: int
    """The broker's port."""
    addresses: set[str] = field(default_factory=set)
    """`host:port` of each connection, as the broker's MONITOR names it."""
    answered_at: float | None = None
    """Monotonic moment of the first byte that the broker sent through."""


@contextlib.contextmanager
def forwarding(upstream: int) -> Iterator[Proxy]:
    """Forward a new port of the loopback to the port `upstream`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        proxy = Proxy(f"redis://127.0.0.1:{port}/0", upstream)
        threading.Thread(target=_accept, args=(listener, proxy), daemon=True).start()
        try:
            yield proxy
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, proxy: Proxy) -> None:
    while True:
        try:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", proxy.upstream))
        except OSError:
            return
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = far.getsockname()
        proxy.addresses.add(f"{host}:{port}")
        threading.Thread(target=_pass_on, args=(near, far, None), daemon=True).start()
        threading.Thread(target=_pass_on, args=(far, near, proxy), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, proxy: Proxy | None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if proxy is not None and proxy.answered_at is None:
                proxy.answered_at = time.monotonic()
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
