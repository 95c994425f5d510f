"""What listens on the broker's port, and what the sentinels say, when a connection fails."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celtop.cluster.connection.faults.errors import REDIS_RIGHTS
from celtop.demo.server import find_server
from celtop.tests.cli.conftest import celtop
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker
from celtop.tests.network import black_hole
from celtop.tests.servers import (
    RabbitServer,
    RedisServer,
    answers,
    clean_environment,
    free_port,
    make_certificates,
    until,
)

Send = Callable[..., str]


@pytest.fixture
def http_port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    server = subprocess.Popen(
        (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: answers(port))
    yield port
    server.kill()
    server.wait()


def test_another_kind_of_server(
    open_session: OpenSession,
    redis_server: RedisServer,
    rabbit_server: RabbitServer,
    http_port: int,
) -> None:
    for url, words in (
        (f"amqp://127.0.0.1:{redis_server.port}//", "is Redis, not RabbitMQ"),
        (f"redis://127.0.0.1:{rabbit_server.port}/0", "is RabbitMQ, not Redis"),
        (f"redis://127.0.0.1:{http_port}/0", "is an HTTP server, not Redis"),
        (f"amqps://127.0.0.1:{http_port}//", "is an HTTP server, not RabbitMQ"),
    ):
        assert words in open_session(url).until_fault("server", 30)


def test_a_plain_url_to_a_tls_port(tmp_path: Path, open_session: OpenSession) -> None:
    files = make_certificates(tmp_path)
    server = RedisServer(tmp_path, scheme="rediss")
    server.options = (
        "--port", "0", "--tls-port", str(server.port), "--tls-auth-clients", "yes",
        "--tls-cert-file", files["cert"], "--tls-key-file", files["key"],
        "--tls-ca-cert-file", files["ca"],
    )  # fmt: skip
    # Without a client certificate the server cannot be asked whether it has started.
    child = subprocess.Popen(
        (find_server(os.environ), *server.options), stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    try:
        until(lambda: answers(server.port))
        for scheme in ("redis", "amqp"):
            live = open_session(f"{scheme}://127.0.0.1:{server.port}/0")
            assert "requires TLS" in live.until_fault("tls", 30)
    finally:
        child.kill()
        child.wait()


def test_a_user_without_permissions_on_rabbitmq(
    open_session: OpenSession, rabbit_server: RabbitServer
) -> None:
    rabbit_server.api("PUT", "users/guest2", {"password": "pw2", "tags": ""})
    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    rabbit_server.api("PUT", "permissions/%2F/guest2", nothing)
    try:
        words = open_session(rabbit_server.url(credentials="guest2:pw2@")).until_fault("permission")
    finally:
        rabbit_server.api("DELETE", "users/guest2")
    assert "lacks a permission" in words and "password" not in words
    assert "set_permissions" in words


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_a_missing_certificate_file_is_named(open_session: OpenSession, scheme: str) -> None:
    with black_hole() as port:
        url = f"{scheme}://127.0.0.1:{port}/0?ssl_cert_reqs=required&ssl_ca_certs=/no/such.pem"
        words = open_session(url).until_fault("socket")
    assert "There is no file /no/such.pem" in words


def test_the_advised_rights_are_enough(
    redis_server: RedisServer, redis_url: str, start_worker: StartWorker, send: Send
) -> None:
    """A user with exactly these sees the same as the default user."""
    start_worker(redis_url, name="w1")
    send(redis_url, "plain.ok", 7)
    send(redis_url, "plain.ok", queue="orphan")
    granted = shlex.split(REDIS_RIGHTS)[3:]
    redis_server.client().execute_command("ACL", "SETUSER", "limited", "on", ">pw", *granted)
    seen = []
    for url in (redis_url, redis_url.replace("redis://", "redis://limited:pw@")):
        ended = celtop("-b", url, "snapshot", "--format", "json")
        assert ended.returncode == 0, ended.stderr
        taken = json.loads(ended.stdout)
        seen.append(
            (
                taken["notes"],
                [(one["name"], one["status"], one["queues"]) for one in taken["workers"]],
                [(one["name"], one["waiting"], one["consumers"]) for one in taken["queues"]],
                [(one["id"], one["name"], one["state"]) for one in taken["tasks"]],
            )
        )
    assert seen[0] == seen[1]
    assert [name for name, *_ in seen[0][2]] == ["celery", "orphan"]


def test_the_sentinels_know_what_is_wrong(tmp_path: Path, open_session: OpenSession) -> None:
    primary = RedisServer(tmp_path).start()
    port = free_port()
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"port {port}\nsentinel monitor mymaster 127.0.0.1 {primary.port} 1\n"
        "sentinel down-after-milliseconds mymaster 1000\n"
    )
    sentinel = subprocess.Popen(
        (find_server(os.environ), str(conf), "--sentinel"),
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
        env=clean_environment(),
    )
    url = f"sentinel://:ignored@127.0.0.1:{port}"
    try:
        until(lambda: answers(port))
        wrong = open_session(url, broker_transport_options={"master_name": "other"})
        words = wrong.until_fault("sentinel", 30)
        assert "no primary named 'other'" in words and "mymaster" in words
        primary.kill()
        down = open_session(url, broker_transport_options={"master_name": "mymaster"})
        words = down.until_fault("primary", 30)
        assert f"127.0.0.1:{primary.port} does not accept connections" in words
        sentinel.kill()
        sentinel.wait()
        assert f"No sentinel responds at 127.0.0.1:{port}" in down.until_fault("sentinel", 30)
    finally:
        sentinel.kill()
        sentinel.wait()
        primary.kill()
