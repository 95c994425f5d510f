"""Result backends with a worker that fills them."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.results.backends.base import ResultReader, ResultsError
from celtop.cluster.results.open import open_results
from celtop.demo.server import find_server
from celtop.model.entities.result import ResultMeta
from celtop.settings import Settings
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import (
    APPS,
    Child,
    MemcachedServer,
    RedisServer,
    answers,
    app_environment,
    clean_environment,
    free_port,
    until,
)

OpenBackend = Callable[..., "FilledBackend"]


class FilledBackend:
    """A cluster whose worker stores results, and a reader of them."""

    def __init__(self, broker_url: str, reader: ResultReader, send: Callable[..., str]) -> None:
        self.reader = reader
        self.has_children = True
        """Whether this backend stores the children of a task."""
        self._broker_url = broker_url
        self._send = send

    def send(self, task: str, *args: object, **options: Any) -> str:
        return self._send(self._broker_url, f"results.{task}", *args, **options)

    def until(self, id_: str, status: str) -> ResultMeta:
        """Wait until the stored result has a status; return it."""

        def found() -> list[ResultMeta]:
            # Before Celery 5.7 a database is made with the first result.
            with contextlib.suppress(ResultsError):
                return [meta for meta in self.reader.read([id_]).values() if meta.status == status]
            return []

        return until(found, what=f"{id_} is {status}")[0]

    def run(self, task: str, *args: object, status: str = "SUCCESS", **options: Any) -> ResultMeta:
        """Send a task; return its result once it has a status."""
        return self.until(self.send(task, *args, **options), status)


@pytest.fixture(scope="session")
def memcached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemcachedServer]:
    """One memcached for all tests of this process."""
    server = MemcachedServer(tmp_path_factory.mktemp("memcached"))
    yield server
    server.kill()


@pytest.fixture
def sentinel_port(own_redis: RedisServer, tmp_path: Path) -> Iterator[int]:
    port = free_port()
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"port {port}\ndir {tmp_path}\nsentinel monitor mymaster 127.0.0.1 {own_redis.port} 1\n"
    )
    found = shutil.which("redis-sentinel")
    command = [found, str(conf)] if found else [find_server(os.environ), str(conf), "--sentinel"]
    child = Child(command, tmp_path / "sentinel.log", clean_environment())
    until(lambda: answers(port), what="the sentinel listens")
    yield port
    child.kill()


@pytest.fixture
def open_backend(
    redis_url: str, start_worker: StartWorker, send: Callable[..., str]
) -> Iterator[OpenBackend]:
    """`open_backend(url, conf, **settings)`: a worker that stores results, and a reader."""
    readers = []

    def open_it(
        result_url: str,
        conf: dict[str, Any] | None = None,
        *,
        worker_app: str = "results",
        worker_env: dict[str, str] | None = None,
        worker_conf: dict[str, Any] | None = None,
        **settings: Any,
    ) -> FilledBackend:
        said = {"result_backend": result_url, "task_track_started": False, **(conf or {})}
        start_worker(redis_url, app=worker_app, conf=said, concurrency=4, env=worker_env)
        told = Settings(broker_url=redis_url, result_backend=result_url, **settings)
        reader = open_results(told, worker_conf)
        assert reader.unavailable is None
        readers.append(reader)
        return FilledBackend(redis_url, reader, send)

    yield open_it
    for reader in readers:
        reader.close()


def django_environment(
    monkeypatch: pytest.MonkeyPatch, folder: Path, broker_url: str, **extra: str
) -> dict[str, str]:
    """Make a Django database; set what our own child needs, and return what a worker does."""
    database = folder / "django.sqlite3"
    database.write_bytes(_migrated_database())
    project = {"TEST_DATABASE": str(database), **extra}
    env = {**app_environment(broker_url, {"result_backend": "django-db"}), **project}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return project


@functools.cache
def _migrated_database() -> bytes:
    """Return a file of SQLite with the tables of the project and nothing in them."""
    migrate = (
        "import django_project, django; django.setup();"
        "from django.core.management import call_command; call_command('migrate', verbosity=0)"
    )
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "django.sqlite3")
        env = clean_environment(
            PYTHONPATH=str(APPS), TEST_DATABASE=str(database), **app_environment("memory://")
        )
        subprocess.run([sys.executable, "-c", migrate], check=True, env=env, cwd=folder)
        return database.read_bytes()


@pytest.fixture(
    params=["redis", "redis-prefix", "sqlite", "files", "files-compressed", "memcached", "django"]
)
def backend(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    redis_url: str,
    redis_server: RedisServer,
    open_backend: OpenBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> FilledBackend:
    """Each kind of backend in turn, with `result_extended`."""
    extended = {"result_extended": True}
    kind = request.param
    if kind == "redis":
        return open_backend(redis_server.next_url(), extended)
    if kind == "redis-prefix":
        options = {"result_backend_transport_options": {"global_keyprefix": "acme"}}
        return open_backend(redis_server.next_url(), extended | options, **options)
    if kind == "sqlite":
        from celery.backends.database import models

        found = open_backend(f"db+sqlite:///{tmp_path}/results.sqlite3", extended)
        found.has_children = hasattr(models.Task, "children")
        return found
    if kind.startswith("files"):
        (tmp_path / "kept").mkdir()
        packed = {"result_compression": "gzip"} if kind == "files-compressed" else {}
        return open_backend(f"file://{tmp_path}/kept", extended | packed)
    if kind == "memcached":
        server: MemcachedServer = request.getfixturevalue("memcached")
        return open_backend(f"cache+memcached://{server.place}/", extended)
    env = django_environment(monkeypatch, tmp_path, redis_url)
    return open_backend(
        "django-db",
        extended,
        worker_app="django_project",
        worker_env=env,
        app="django_project",
        workdir=str(APPS),
    )
