"""URLs and options; real connections where their kinds differ."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from celtop.cluster.connection.broker import BrokerConnection, broker_urls
from celtop.demo.server import find_server
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import Child, RedisServer, answers, clean_environment, free_port, until


def broker(url: str, **settings: object) -> BrokerConnection:
    return BrokerConnection(Settings(broker_url=url, **settings))  # type: ignore[arg-type]


def test_failover_lists_are_split_and_sentinels_stay_together() -> None:
    assert broker_urls("redis://a/0; amqp://b//;") == ("redis://a/0", "amqp://b//")
    group = "sentinel://a:26379;sentinel://b:26379/0"
    assert broker_urls(group) == (group,)
    assert broker_urls("") == ()
    assert broker_urls("redis://:a;b@h/0; redis://:c d@h/1") == (
        "redis://:a%3Bb@h/0",
        "redis://:c%20d@h/1",
    )


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("redis://h", "redis"),
        ("redis+socket:///run/r.sock?virtual_host=3", "redis"),
        ("amqps://h", "amqps"),
        ("sqla+postgresql://h/db", "sqla"),
        ("localhost:5672", "amqp"),
    ],
)
def test_the_scheme_names_the_kind_of_broker(url: str, scheme: str) -> None:
    assert broker(url).scheme == scheme


def test_every_password_is_masked() -> None:
    one = broker("redis://:hunter22@a/0;amqp://me:hunter23@b//")
    assert "hunter" not in one.shown_url
    one.fail_over()
    assert one.shown_url == "amqp://me:***@b//"
    one.fail_over()
    assert one.scheme == "redis"


@pytest.mark.parametrize(
    ("url", "options", "doubt"),
    [
        ("redis://h/0", None, None),
        ("rediss://h/0", None, "not verified"),
        ("rediss://h/0?ssl_cert_reqs=none", None, "not verified"),
        ("rediss://h/0?ssl_cert_reqs=required", None, None),
        ("rediss://h/0", {"ssl_cert_reqs": "none"}, "not verified"),
        ("rediss://h/0", {"ssl_cert_reqs": ssl.CERT_REQUIRED}, None),
        ("redis://h/0", True, None),
        ("amqps://h//", None, "issued for this host"),
        ("amqp://h//", {"cert_reqs": "CERT_NONE"}, "not verified"),
        ("amqps://h//", {"server_hostname": "h"}, None),
    ],
)
def test_unverified_certificates_are_reported(url: str, options: object, doubt: str | None) -> None:
    found = broker(url, broker_use_ssl=options).unverified()
    assert (found is None) if doubt is None else doubt in str(found)


def test_the_apps_options_do_not_override_our_timeouts() -> None:
    one = broker("redis://h/0", broker_transport_options={"socket_timeout": None, "sep": ":"})
    options = one.prepare().transport_options
    assert options["socket_timeout"] > 0
    assert options["sep"] == ":"


def test_a_unix_socket(
    redis_server: RedisServer, open_session: OpenSession, start_worker: StartWorker
) -> None:
    url = f"redis+socket://{redis_server.socket_path}?virtual_host=7"
    start_worker(redis_server.url(7))
    live = open_session(url)
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.stats)
    live.until(lambda: "celery" in live.state.queues)


def test_failover_switches_to_the_next_url(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    start_worker(redis_url)
    live = open_session(f"redis://127.0.0.1:{free_port()}/0;{redis_url}")
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.stats)
    assert live.state.broker.url == redis_url


@pytest.fixture
def sentinel_port(own_redis: RedisServer, tmp_path: Path) -> Iterator[int]:
    port = free_port()
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"port {port}\ndir {tmp_path}\nsentinel monitor mymaster 127.0.0.1 {own_redis.port} 1\n"
    )
    if shutil.which("redis-sentinel"):
        command = ["redis-sentinel", str(conf)]
    else:
        command = [find_server(os.environ), str(conf), "--sentinel"]
    child = Child(command, tmp_path / "sentinel.log", clean_environment())
    until(lambda: answers(port) or not child.alive, what="sentinel listens")
    assert child.alive, child.output
    yield port
    child.kill()


def test_sentinel(sentinel_port: int, open_session: OpenSession, start_worker: StartWorker) -> None:
    url = f"sentinel://127.0.0.1:{sentinel_port}/2;sentinel://127.0.0.1:{free_port()}/2"
    options = {"master_name": "mymaster"}
    start_worker(url, conf={"broker_transport_options": options})
    live = open_session(url, broker_transport_options=options)
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.events_enabled)
    live.until(lambda: "celery" in live.state.queues)
