from __future__ import annotations

import json
import signal
import socket
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from celtop.benchmarks import stream
from celtop.tests.cli.conftest import CELTOP, celtop, error_text
from celtop.tests.servers import Child, RedisServer, clean_environment, until
from prometheus_client.parser import text_string_to_metric_families

Serve = Callable[..., tuple[Child, str]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """`serve(url)`: `celtop metrics` on a free port, and its URL."""
    started: list[Child] = []

    def start(url: str, *flags: str) -> tuple[Child, str]:
        command = (*CELTOP, "-b", url, "metrics", "--listen", "127.0.0.1:0", *flags)
        child = Child(command, tmp_path / f"metrics{len(started)}.log", clean_environment())
        started.append(child)
        until(lambda: "/metrics" in child.output or not child.alive, what="the server listens")
        assert child.alive, child.output
        return child, child.output.partition("on ")[2].partition("/metrics")[0]

    yield start
    for child in started:
        child.kill()


def health(url: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_once_prints_the_metrics(redis_url: str) -> None:
    ended = celtop("-b", redis_url, "metrics", "--once", "--wait", "0")
    assert ended.returncode == 0, ended.stderr
    parse: Any = text_string_to_metric_families
    families = parse(ended.stdout)
    values = {sample.name: sample.value for family in families for sample in family.samples}
    assert values["celtop_broker_up"] == 1
    assert values["process_cpu_seconds_total"] > 0


def test_the_health_follows_the_broker_and_sigterm_ends_it(
    serve: Serve, own_redis: RedisServer
) -> None:
    child, url = serve(own_redis.next_url())
    assert until(lambda: health(url)[0] == 200)
    own_redis.kill()
    until(lambda: health(url)[0] == 503)
    until(lambda: "refused" in health(url)[1]["reason"])
    own_redis.start()
    until(lambda: health(url)[0] == 200, timeout=30)
    child.signal(signal.SIGTERM)
    assert child.wait() == 0
    assert "Traceback" not in child.output


def scraped(url: str) -> Mapping[str, float]:
    """Return the sums of all samples by name, those of `celtop_tasks_total` by event."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as reply:
        parse: Any = text_string_to_metric_families
        families = list(parse(reply.read().decode()))
    sums: defaultdict[str, float] = defaultdict(float)
    for family in families:
        for sample in family.samples:
            sums[sample.labels.get("event", sample.name)] += sample.value
    return sums


@pytest.mark.slow
def test_counters_are_what_the_generator_sent_though_most_tasks_are_dropped(
    serve: Serve, redis_server: RedisServer, redis_url: str
) -> None:
    tasks, fail_every = 5_000, 10
    messages = stream.encode(redis_url, tasks, fail_every=fail_every)
    before = int(redis_server.client().pubsub_numpat())
    _, url = serve(redis_url, "--max-tasks", "100")
    until(lambda: int(redis_server.client().pubsub_numpat()) > before, what="celtop listens")
    stream.publish(redis_url, messages)
    failed = stream.failures_in(tasks, fail_every)
    until(lambda: scraped(url).get("failed") == failed, what="all events are counted")
    sums = scraped(url)
    assert sums["received"] == sums["started"] == tasks
    assert sums["succeeded"] == tasks - failed
    assert sums["celtop_task_failures_total"] == failed
    assert sums["flower_events_total"] == stream.task_events_in(messages)
    assert sums["celtop_events_total"] == stream.events_in(messages)
    assert sums["flower_task_runtime_seconds_count"] == tasks - failed
    assert sums["celtop_task_runtime_seconds_count"] == tasks - failed
    assert sums["celtop_events_lost_total"] == 0
    assert sums["celtop_evicted_tasks_total"] > tasks / 2


def test_a_broker_that_cannot_exist_ends_it(serve: Serve) -> None:
    ended = celtop("-b", "nosuch://host", "metrics", "--listen", "127.0.0.1:0")
    assert ended.returncode == 2
    assert "Cannot use the broker nosuch://host" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_address_must_be_free(redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = celtop("-b", redis_url, "metrics", "--listen", address)
    message = f"Cannot listen on {address}: Address already in use. Choose another address"
    assert message in error_text(ended, 2)


def test_the_address_must_be_one() -> None:
    ended = celtop("-b", "redis://host", "metrics", "--listen", "9808")
    assert "Invalid --listen: '9808' is not HOST:PORT" in error_text(ended, 2)


def test_without_the_client_library_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "prometheus_client.py").write_text("raise ImportError\n")
    env = {"PYTHONPATH": str(tmp_path)}
    ended = celtop("-b", "redis://host", "metrics", "--once", env=env)
    assert "pip install 'celtop[metrics]'" in error_text(ended, 2)
