"""Results in Redis, with every kind of connection and failure."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection.metering import ConnectionMeter
from celtop.cluster.results.backends.base import ResultReader, ResultsError
from celtop.cluster.results.open import open_results
from celtop.settings import Settings
from celtop.tests.network import black_hole
from celtop.tests.servers import RedisServer, free_port, make_certificates


def store(
    client: Any, id_: str, status: str = "SUCCESS", result: Any = 1, prefix: str = ""
) -> None:
    """Keep a result as Celery's backend does it."""
    meta = {"status": status, "result": result, "traceback": None, "children": []}
    key = f"{prefix}celery-task-meta-{id_}"
    with client.pipeline() as pipe:
        pipe.set(key, json.dumps(meta), ex=3600)
        pipe.publish(key, json.dumps(meta))
        pipe.execute()


def reader_of(url: str, wire: ConnectionMeter | None = None, **settings: Any) -> ResultReader:
    return open_results(Settings(result_backend=url, **settings), meter=wire)


def fault_of(url: str, **settings: Any) -> str:
    with pytest.raises(ResultsError) as caught:
        reader_of(url, **settings).read(["x"])
    return str(caught.value)


def test_another_database_over_a_unix_socket(own_redis: RedisServer) -> None:
    store(own_redis.client(7), "x", result={"n": 7})
    found = reader_of(f"redis+socket://{own_redis.socket_path}?virtual_host=7").read(["x", "y"])
    assert list(found) == ["x"] and found["x"].result == {"n": 7}
    assert reader_of(own_redis.url(7)).read(["x"]) == found
    assert reader_of(own_redis.url(6)).read(["x"]) == {}


@pytest.mark.parametrize(("given", "used"), [("acme", "acme_"), ("acme:", "acme:"), ("", "")])
def test_key_prefix(redis_url: str, redis_server: RedisServer, given: str, used: str) -> None:
    store(redis_server.client(int(redis_url.rsplit("/", 1)[1])), "x", prefix=used)
    reader = reader_of(redis_url, result_backend_transport_options={"global_keyprefix": given})
    assert list(reader.read(["x"])) == ["x"]


def test_many_ids_in_few_commands_counted_with_the_brokers(
    redis_url: str, redis_server: RedisServer
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    for number in range(1000):
        store(client, f"id{number}", result=number)
    wire = ConnectionMeter()
    # The same server, though another database.
    reader = reader_of(redis_url, wire, broker_url=redis_server.url(0))
    found = reader.read([f"id{number}" for number in range(1000)])
    assert [found[f"id{number}"].result for number in range(1000)] == list(range(1000))
    assert 5 <= wire.sent <= 10
    elsewhere = ConnectionMeter()
    reader_of(redis_url, elsewhere, broker_url="redis://elsewhere/0").read(["id1"])
    assert elsewhere.sent == 0


def test_tls(tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    server = RedisServer(tmp_path, scheme="rediss")
    server.options = (
        "--port", "0", "--tls-port", str(server.port), "--tls-auth-clients", "no",
        "--tls-cert-file", files["cert"], "--tls-key-file", files["key"],
        "--tls-ca-cert-file", files["ca"],
    )  # fmt: skip
    server.start()
    try:
        url = server.url(3)
        assert "not signed by a trusted authority" in fault_of(url)  # verified by default
        plain = url.replace("rediss", "redis")
        for place, options in (
            (f"{url}?ssl_cert_reqs=none", {}),
            (f"{url}?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs={files['ca']}", {}),
            (url, {"ssl_cert_reqs": "CERT_REQUIRED", "ssl_ca_certs": files["ca"]}),
            (url, {"ssl_cert_reqs": 0}),
            (plain, {"ssl_cert_reqs": "none"}),
        ):
            assert reader_of(place, redis_backend_use_ssl=options).read(["x"]) == {}
    finally:
        server.kill()


def test_passwords_are_used_and_never_shown(own_redis: RedisServer) -> None:
    own_redis.client().config_set("requirepass", "hunter2/secret")
    store(own_redis.client().__class__(port=own_redis.port, password="hunter2/secret"), "x")
    url = own_redis.url(credentials=":hunter2%2Fsecret@")
    assert list(reader_of(url).read(["x"])) == ["x"]
    assert "requires a password" in fault_of(own_redis.url())
    for wrong in ("hunter3%2Fsecret", "hunter3/secret"):
        told = fault_of(own_redis.url(credentials=f":{wrong}@"))
        assert "hunter" not in told and "secret" not in told
    assert "in CELTOP_RESULT_BACKEND it is hidden" in fault_of(own_redis.url())


def test_faults_are_explained() -> None:
    assert f"Cannot connect to 127.0.0.1:{(port := free_port())}: connection refused" in fault_of(
        f"redis://127.0.0.1:{port}/0"
    )
    assert "names the database abc" in fault_of("redis://localhost/abc")
    assert "credential_provider" in fault_of("redis://localhost/0?credential_provider=x.Y")
    assert "no-such-host.invalid" in fault_of("redis://:hunter2@no-such-host.invalid/0")
    assert "hunter2" not in fault_of("redis://:hunter2@no-such-host.invalid/0")
    assert "There is no socket" in fault_of("redis+socket:///no/such.sock")
    assert "master_name" in fault_of("sentinel://localhost:1/0")


def test_a_server_that_does_not_respond_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celtop.cluster.results.backends.redis.READ_TIMEOUT", 0.5)
    with black_hole() as port:
        started = time.monotonic()
        assert "does not respond" in fault_of(f"redis://127.0.0.1:{port}/0")
        assert time.monotonic() - started < 15.0


def test_a_closed_reader_can_be_used_again(redis_url: str) -> None:
    reader = reader_of(redis_url)
    assert reader.read(["x"]) == {}
    reader.close()
    reader.close()
    assert reader.read(["x"]) == {}
    reader.close()


def test_sentinel(own_redis: RedisServer, sentinel_port: int) -> None:
    own_redis.client().config_set("requirepass", "hunter2")
    store(own_redis.client().__class__(port=own_redis.port, db=2, password="hunter2"), "x")
    url = f"sentinel://:hunter2@127.0.0.1:{free_port()}/2;sentinel://127.0.0.1:{sentinel_port}/2"
    reader = reader_of(url, result_backend_transport_options={"master_name": "mymaster"})
    assert list(reader.read(["x"])) == ["x"]
    told = fault_of(url, result_backend_transport_options={"master_name": "nobody"})
    assert "No sentinel has a primary" in told and "hunter2" not in told
