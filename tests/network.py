"""Connections that fail on request."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Iterator


class TcpProxy:
    """Forwards to a port of 127.0.0.1; connections can be frozen without being closed.

    With `round_trip`, in seconds, data arrives half as late in each direction.
    """

    def __init__(self, target_port: int, round_trip: float = 0.0) -> None:
        self.target_port = target_port
        self.round_trip = round_trip
        self.exchanges = 0
        """How often a client sent something after the server, or at first."""
        self.frozen = threading.Event()
        self._sockets: list[socket.socket] = []
        self.port = 0
        self.open()

    def open(self) -> None:
        """Listen, or listen again on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def freeze(self) -> None:
        """Stop forwarding on the open connections without closing them; accept new ones."""
        self.frozen.set()
        self.frozen = threading.Event()

    def close(self) -> None:
        """Close all connections and stop listening."""
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._sockets.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target_port))
                except OSError:
                    client.close()
                    continue
                self._sockets += [client, server]
                turn = threading.Event()
                for source, sink in ((client, server), (server, client)):
                    on_the_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                    receive = (source, on_the_way, turn, source is client)
                    deliver = (sink, on_the_way, self.frozen)
                    threading.Thread(target=self._receive, args=receive, daemon=True).start()
                    threading.Thread(target=self._deliver, args=deliver, daemon=True).start()

    def _receive(
        self,
        source: socket.socket,
        on_the_way: queue.SimpleQueue[tuple[float, bytes]],
        turn: threading.Event,
        from_client: bool,
    ) -> None:
        data = b"?"
        while data:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            if not from_client:
                turn.clear()
            elif not turn.is_set():
                turn.set()
                self.exchanges += 1
            on_the_way.put((time.monotonic() + self.round_trip / 2, data))

    @staticmethod
    def _deliver(
        sink: socket.socket,
        on_the_way: queue.SimpleQueue[tuple[float, bytes]],
        frozen: threading.Event,
    ) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = on_the_way.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if data and not frozen.is_set():
                    sink.sendall(data)
                elif not data:
                    if not frozen.is_set():
                        sink.shutdown(socket.SHUT_WR)
                    return


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """Listen on a port, accept connections, and never reply."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        port: int = listener.getsockname()[1]
        yield port
