"""A PostgreSQL server of this machine for tests, which are skipped where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

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
        # pytest's own folders are closed to other users.
        self._folder = Path(tempfile.mkdtemp(prefix="celtop-postgres-"))
        self.data = self._folder / "data"
        self._programs = programs
        self._user = None
        self._child: Child | None = None
        self._databases = 0
        if os.geteuid() == 0:
            self._user = _UNPRIVILEGED
            shutil.chown(self._folder, self._user)
        subprocess.run(
            [programs / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync"],
            check=True,
            capture_output=True,
            user=self._user,
            cwd=self._folder,
        )

    @property
    def url(self) -> str:
        """The URL of the database `postgres`, as its superuser."""
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = "postgres") -> str:
        """Return a URL; `user` may have a password, which is needed if `pg_hba.conf` says so."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def next_url(self) -> str:
        """Create a database that no test has used yet and return its URL."""
        self._databases += 1
        name = f"test{self._databases}"
        self.run(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def run(self, statement: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Execute one statement as superuser and return its rows."""
        import psycopg

        with psycopg.connect(url or self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> PostgresServer:
        """Start the server, or restart it on the same port, and wait until it replies."""
        command = [
            str(self._programs / "postgres"), "-D", str(self.data), "-p", str(self.port),
            "-k", str(self.data), "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1",
        ]  # fmt: skip
        if self._user is not None:
            command = ["setpriv", f"--reuid={self._user}", "--clear-groups", *command]
        self._child = Child(command, self._folder / "log", clean_environment(), cwd=self._folder)
        child = self._child
        until(lambda: self._ready() or not child.alive, what="PostgreSQL is ready")
        assert child.alive, child.output
        return self

    def kill(self) -> None:
        """Kill the server and its processes at once, as a power cut would."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ready(self) -> bool:
        import psycopg

        if not answers(self.port):
            return False
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:  # while it recovers from a kill
            return False
        return True


def _programs() -> Path | None:
    """Return the folder with the server's programs; they are seldom on the path."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path(_FOLDERS).glob("*/bin/initdb"))
    return folders[-1].parent if folders else None
