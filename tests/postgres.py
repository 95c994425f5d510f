"""A PostgreSQL server of this machine for tests, which are skipped where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest
from celtop.tests.servers import Child, answers, clean_environment, free_port, until

_FOLDERS: Final = "/usr/lib/postgresql"
_UNPRIVILEGED: Final = "nobody"
"""Runs the server if the tests run as root, which PostgreSQL refuses."""


class PostgresServer:
    """A server on a free port with an empty database `postgres` and no password."""

    def __init__(self) -> None:
        programs = _programs()
        if programs is None:
            pytest.skip("PostgreSQL is not installed")
        self.port = free_port()
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"
        # pytest's own folders are closed to other users.
        self._folder = Path(tempfile.mkdtemp(prefix="celtop-postgres-"))
        user = None
        if os.geteuid() == 0:
            user = _UNPRIVILEGED
            shutil.chown(self._folder, user)
        data = self._folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
            cwd=self._folder,
        )
        command = [
            str(programs / "postgres"), "-D", str(data), "-p", str(self.port), "-k", str(data),
            "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1",
        ]  # fmt: skip
        if user is not None:
            command = ["setpriv", f"--reuid={user}", "--clear-groups", *command]
        self._child = Child(command, self._folder / "log", clean_environment(), cwd=self._folder)
        until(lambda: answers(self.port) or not self._child.alive, what="PostgreSQL listens")
        assert self._child.alive, self._child.output

    def kill(self) -> None:
        self._child.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _programs() -> Path | None:
    """Return the folder with the server's programs; they are seldom on the path."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path(_FOLDERS).glob("*/bin/initdb"))
    return folders[-1].parent if folders else None
