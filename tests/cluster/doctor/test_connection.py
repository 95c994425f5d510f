"""Each way in which a connection can fail is found at its own step."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection import broker
from celtop.cluster.doctor import connection
from celtop.cluster.doctor.connection import Examination, within
from celtop.demo.server import find_server
from celtop.model.health.steps import Step
from celtop.settings import load_settings
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


def examine(url: str, **settings: Any) -> list[Step]:
    with Examination(load_settings({"broker_url": url, **settings}, {})) as examination:
        return list(examination.steps())


def failed(url: str, **settings: Any) -> Step:
    """Return the one step that failed; those before it have passed, those after it were not made.

    No step shows a password.
    """
    steps = examine(url, **settings)
    (position,) = [place for place, step in enumerate(steps) if step.status == "failed"]
    assert all(step.is_passed for step in steps[:position])
    assert all(step.status == "not checked" for step in steps[position + 1 :])
    assert "secret" not in repr(steps)
    assert steps[position].next_step
    return steps[position]


def test_a_healthy_redis_and_rabbitmq(redis_url: str, amqp_url: str) -> None:
    redis, amqp = examine(redis_url), examine(amqp_url)
    assert {step.status for step in (*redis, *amqp)} == {"ok"}
    assert [step.kind.name for step in redis] == [
        "settings", "dns", "tcp", "tls", "server", "password", "database", "permissions",
    ]  # fmt: skip
    assert [step.kind.name for step in amqp] == [step.kind.name for step in redis]
    by_name = {step.kind.name: step.text for step in amqp}
    assert by_name["server"].startswith("RabbitMQ 3.")
    assert by_name["password"] == "guest was accepted"
    assert "guest:guest" not in repr(amqp)


@pytest.mark.parametrize(
    ("url", "name", "text"),
    [
        ("", "settings", "no broker URL is set"),
        ("rabbitmq://h/", "settings", "no transport for rabbitmq"),
        ("redis://h:port/0", "settings", "port in the broker URL is not a number"),
        ("redis://127.0.0.1:6379/0?speed=9", "settings", "unknown option speed"),
        ("redis://no.such.host.invalid/0", "dns", "no.such.host.invalid"),
        ("redis+socket:///no/such.sock", "tcp", "no socket /no/such.sock"),
    ],
)
def test_settings_and_names(url: str, name: str, text: str) -> None:
    step = failed(url)
    assert (step.kind.name, text in step.text) == (name, True), step


@pytest.mark.parametrize("scheme", ["redis", "rediss", "amqp", "amqps"])
def test_a_closed_port(scheme: str) -> None:
    port = free_port()
    step = failed(f"{scheme}://:secret@127.0.0.1:{port}/0")
    assert (step.kind.name, step.text) == (
        "tcp",
        f"Cannot connect to 127.0.0.1:{port}: connection refused",
    )


def test_a_slow_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str) -> list[str]:
        raise TimeoutError

    monkeypatch.setattr(connection, "_addresses", resolve)
    step = failed("redis://broker/0")
    assert step.text == "no reply about the host name broker within 5 s"


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ATTEMPT_TIMEOUT", 0.5)
    with black_hole() as port:
        for scheme in ("redis", "amqp"):
            step = failed(f"{scheme}://127.0.0.1:{port}/0")
            assert (step.kind.name, step.text) == ("server", f"127.0.0.1:{port} does not respond")


def test_work_that_takes_too_long() -> None:
    with pytest.raises(TimeoutError):
        within(0.01, threading.Event().wait)
    assert within(5.0, lambda: 1) == 1


def test_another_server_on_the_port(rabbit_server: RabbitServer) -> None:
    step = failed(f"redis://127.0.0.1:{rabbit_server.port}/0")
    assert (step.kind.name, "is RabbitMQ, not Redis" in step.text) == ("server", True)


def test_tls_to_a_plain_port(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # Redis does not answer the handshake.
    monkeypatch.setattr(broker, "CONNECT_TIMEOUT", 0.5)
    monkeypatch.setattr(broker, "READ_TIMEOUT", 0.5)
    url = f"rediss://127.0.0.1:{redis_server.port}/0?ssl_cert_reqs=none"
    assert failed(url).kind.name == "tls"


@pytest.fixture
def tls_redis(tmp_path: Path) -> Iterator[tuple[RedisServer, dict[str, str]]]:
    files = make_certificates(tmp_path)
    server = RedisServer(tmp_path, scheme="rediss")
    server.options = (
        "--port", "0", "--tls-port", str(server.port), "--tls-auth-clients", "no",
        "--tls-cert-file", files["cert"], "--tls-key-file", files["key"],
        "--tls-ca-cert-file", files["ca"],
    )  # fmt: skip
    server.start()
    yield server, files
    server.kill()


def test_tls(tls_redis: tuple[RedisServer, dict[str, str]]) -> None:
    server, files = tls_redis
    assert failed(f"redis://127.0.0.1:{server.port}/0").kind.name == "tls"
    required = f"{server.url()}?ssl_cert_reqs=required"
    untrusted = failed(required)
    assert (untrusted.kind.name, "trusted authority" in untrusted.text) == ("tls", True)
    unreadable = failed(f"{required}&ssl_ca_certs=/no/such.pem")
    assert (unreadable.kind.name, "/no/such.pem does not exist" in unreadable.text) == ("tls", True)
    steps = {step.kind.name: step for step in examine(f"{required}&ssl_ca_certs={files['ca']}")}
    assert {step.status for step in steps.values()} == {"ok"}
    assert steps["tls"].text == "encrypted, certificate verified"
    unverified = {step.kind.name: step for step in examine(server.url())}
    assert unverified["tls"].status == "warning"


def test_a_wrong_password(own_redis: RedisServer, rabbit_server: RabbitServer) -> None:
    own_redis.client().config_set("requirepass", "secret2")
    assert failed(own_redis.url(credentials=":secret1@")).kind.name == "password"
    assert failed(own_redis.url()).kind.name == "password"
    step = failed(rabbit_server.url(credentials="guest:secret@"))
    assert step.kind.name == "password"


def test_a_wrong_database_or_virtual_host(
    redis_server: RedisServer, rabbit_server: RabbitServer
) -> None:
    assert failed(redis_server.url(99_999)).kind.name == "database"
    step = failed(rabbit_server.url("no-such"))
    assert (step.kind.title, "no virtual host" in step.text) == ("Virtual host", True)


def test_of_several_brokers_one_has_to_work(redis_url: str) -> None:
    steps = examine(f"redis://127.0.0.1:{free_port()}/0;{redis_url}")
    assert [step.kind.name for step in steps if step.status == "warning"] == ["tcp"]
    assert all(step.is_passed for step in steps)


def test_an_unknown_primary(tmp_path: Path, own_redis: RedisServer) -> None:
    port = free_port()
    conf = tmp_path / "sentinel.conf"
    conf.write_text(f"port {port}\nsentinel monitor mymaster 127.0.0.1 {own_redis.port} 1\n")
    environment = clean_environment()
    sentinel = subprocess.Popen(
        (find_server(environment), str(conf), "--sentinel"),
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
        env=environment,
    )
    try:
        until(lambda: answers(port))
        url = f"sentinel://127.0.0.1:{port}"
        step = failed(url, broker_transport_options={"master_name": "other"})
        assert step.kind.name == "sentinel"
        assert "no primary named 'other'" in step.text
        steps = examine(url, broker_transport_options={"master_name": "mymaster"})
        assert {each.status for each in steps} == {"ok"}
    finally:
        sentinel.kill()
        sentinel.wait()


def test_missing_permissions_on_redis(own_redis: RedisServer) -> None:
    client = own_redis.client()
    command = "ACL SETUSER limited on >secret ~* &* +@all -publish -lpushx -eval"
    client.execute_command(*command.split())
    step = failed(own_redis.url(credentials="limited:secret@"))
    assert step.kind.name == "permissions"
    for what in ("send remote-control commands", "write queues", "run scripts"):
        assert f"the user may not {what}" in step.text
    assert "ACL SETUSER" in step.next_step


def test_missing_permissions_on_rabbitmq(rabbit_server: RabbitServer, amqp_url: str) -> None:
    vhost = amqp_url.rsplit("/", 1)[1]
    rabbit_server.api("PUT", "users/limited", {"password": "secret", "tags": ""})
    try:
        rights = {"configure": "^$", "write": "^$", "read": "^$"}
        rabbit_server.api("PUT", f"permissions/{vhost}/limited", rights)
        step = failed(rabbit_server.url(vhost, "limited:secret@"))
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        rabbit_server.api("PUT", f"permissions/{vhost}/limited", rights)
        steps = examine(rabbit_server.url(vhost, "limited:secret@"))
    finally:
        rabbit_server.api("DELETE", "users/limited")
    assert step.kind.name == "permissions"
    assert "may not configure queues for events and replies" in step.text
    assert "set_permissions" in step.next_step
    assert {each.status for each in steps} == {"ok"}
    assert rabbit_server.queue_names(amqp_url) == []
