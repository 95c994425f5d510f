"""A private Redis server on a free port of the loopback, which keeps nothing on disk."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from celtop.demo.server import answers, find_server, free_port, server_command


class ServerUnavailable(RuntimeError):
    """The server did not start, or has no users."""


@contextlib.contextmanager
def running(port: int | None = None) -> Iterator[str]:
    """Start a server, yield its URL and kill it at the end."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="celtop-bench-") as folder:
        process = subprocess.Popen(
            [
                *server_command(find_server(os.environ), port, Path(folder)),
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
    """Return the port of a URL of `running`."""
    return int(url.rsplit(":", 1)[1].split("/")[0])


def await_listener(url: str, timeout: float = 30.0, *, patterns: int = 1) -> None:
    """Return once a client is subscribed to the events.

    Args:
        url: The server.
        timeout: Seconds.
        patterns: To how many patterns the client subscribes: results are a second one.

    Raises:
        ServerUnavailable: None is within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    with redis.Redis(port=port_of(url)) as client:
        while client.pubsub_numpat() < patterns:
            if time.monotonic() > deadline:
                raise ServerUnavailable(f"no subscriber after {timeout:.0f} s")
            time.sleep(0.05)


def _await_answer(port: int, timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not answers(port):
        if time.monotonic() > deadline:
            raise ServerUnavailable(f"no answer on port {port}")
        time.sleep(0.02)
