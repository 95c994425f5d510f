"""Connections that fail on request."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class TcpProxy:
    """Forwards to a port of 127.0.0.1; connections can be frozen without being closed."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
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
                for source, sink in ((client, server), (server, client)):
                    pump = threading.Thread(
                        target=self._forward, args=(source, sink, self.frozen), daemon=True
                    )
                    pump.start()

    @staticmethod
    def _forward(source: socket.socket, sink: socket.socket, frozen: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not frozen.is_set():
                    sink.sendall(data)
            if not frozen.is_set():
                sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """Listen on a port, accept connections, and never reply."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        port: int = listener.getsockname()[1]
        yield port
