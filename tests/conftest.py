"""Fixtures: real servers, started once in each test process that needs them, and real workers."""

from __future__ import annotations

import itertools
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from celtop.files.state_file import take_messages
from celtop.tests.postgres import PostgresServer
from celtop.tests.servers import CeleryWorker, RabbitServer, RedisServer, clean_environment

# On a loaded machine, slow examples are no failure.
hypothesis.settings.register_profile(
    "celtop", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("celtop")

_numbers = itertools.count()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the files for parallel processes: slow ones first, the others mixed.

    No process then runs a slow file alone at the end, and tests that wait run beside tests that
    compute.
    """
    if not hasattr(config, "workerinput"):
        return
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(
        key=lambda item: (item.path not in slow, zlib.crc32(item.nodeid.split("::")[0].encode()))
    )


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let celtop save into folders of the test run, not into the developer's.

    They are for the whole run, as a session that several tests share looks them up once.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STATE", "CONFIG", "DATA"):
            folder = tmp_path_factory.getbasetemp() / name.lower()
            patch.setenv(f"XDG_{name}_HOME", str(folder))
        yield


@pytest.fixture(autouse=True)
def _no_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Remove every variable that configures Celery or celtop on the developer's machine."""
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    # What the history has of one test must not be on the screen of another.
    own = tmp_path_factory.getbasetemp() / "data" / str(next(_numbers))
    monkeypatch.setenv("XDG_DATA_HOME", str(own))


@pytest.fixture(autouse=True)
def _no_earlier_messages() -> None:
    """Drop the messages about files that other tests have damaged."""
    take_messages()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all tests of this process; each test uses its own databases."""
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis database."""
    return redis_server.next_url()


@pytest.fixture(scope="session")
def rabbit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """One RabbitMQ for all tests of this process; each test uses its own virtual host."""
    server = RabbitServer(tmp_path_factory.mktemp("rabbit")).start()
    yield server
    server.close()


@pytest.fixture
def amqp_url(rabbit_server: RabbitServer) -> str:
    """The URL of an empty virtual host."""
    return rabbit_server.next_url()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of this process; each test uses its own database."""
    server = PostgresServer().start()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of an empty database."""
    return postgres_server.next_url()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may kill and restart."""
    server = PostgresServer().start()
    yield server
    server.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may kill and restart."""
    server = RedisServer(tmp_path).start()
    yield server
    server.kill()


StartWorker = Callable[..., CeleryWorker]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """`start_worker(url, name="w1", pool="threads", ...)`: a ready worker, killed at the end."""
    started: list[CeleryWorker] = []

    def start(broker_url: str, **options: Any) -> CeleryWorker:
        worker = CeleryWorker(tmp_path, broker_url, **options)
        started.append(worker)
        return worker.ready()

    yield start
    for worker in started:
        worker.child.kill()


@pytest.fixture
def send(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """`send(url, "plain.ok", 1, queue="q")`: send a task as a client does, and return its id."""
    from celery import Celery

    apps: dict[str, Celery] = {}

    def send_task(broker_url: str, name: str, *args: object, **options: Any) -> str:
        conf = options.pop("conf", {})
        app = apps.get(broker_url)
        if app is None:
            app = Celery("client", broker=broker_url, fixups=set(), set_as_current=False)
            app.conf.update(conf)
            apps[broker_url] = app
        return str(app.send_task(name, args=args, **options).id)

    yield send_task
    for app in apps.values():
        app.close()
