from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

from celtop.tests.cli.conftest import celtop, error_text
from celtop.tests.metrics_command import MetricsCommand
from celtop.tests.servers import RedisServer, until
from prometheus_client.parser import text_string_to_metric_families


def test_once_prints_the_metrics(redis_url: str) -> None:
    ended = celtop("-b", redis_url, "metrics", "--once", "--wait", "0")
    assert ended.returncode == 0, ended.stderr
    parse: Any = text_string_to_metric_families
    families = parse(ended.stdout)
    values = {sample.name: sample.value for family in families for sample in family.samples}
    assert values["celtop_broker_up"] == 1
    assert values["process_cpu_seconds_total"] > 0


def test_the_health_follows_the_broker_and_sigterm_ends_it(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    metrics = MetricsCommand(own_redis.next_url(), tmp_path)
    until(lambda: metrics.health()[0] == 200)
    own_redis.kill()
    until(lambda: metrics.health()[0] == 503)
    until(lambda: "refused" in metrics.health()[1]["reason"])
    own_redis.start()
    until(lambda: metrics.health()[0] == 200, timeout=30)
    metrics.child.signal(signal.SIGTERM)
    assert metrics.child.wait() == 0
    assert "Traceback" not in metrics.child.output


def test_a_broker_that_cannot_exist_ends_it() -> None:
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


def test_the_error_without_the_client_library_names_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "prometheus_client.py").write_text("raise ImportError\n")
    env = {"PYTHONPATH": str(tmp_path)}
    ended = celtop("-b", "redis://host", "metrics", "--once", env=env)
    assert "pip install 'celtop[metrics]'" in error_text(ended, 2)
