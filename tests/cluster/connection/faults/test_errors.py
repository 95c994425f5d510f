"""Every connection failure is named, explained and survived, and never shows a password."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.connection.faults.errors import explain
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy, black_hole
from celtop.tests.servers import RabbitServer, RedisServer, free_port, make_certificates

PASSWORD = "s3cret-p4ss"


def broker(
    url: str = f"redis://:{PASSWORD}@10.9.8.7:6390/3", **settings: object
) -> BrokerConnection:
    return BrokerConnection(Settings(broker_url=url, **settings))  # type: ignore[arg-type]


@pytest.fixture
def locked_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, "--requirepass", PASSWORD).start()
    yield server
    server.kill()


def test_connection_refused(open_session: OpenSession) -> None:
    port = free_port()
    words = open_session(f"redis://127.0.0.1:{port}/0").until_fault("refused")
    assert words.startswith(
        f"Cannot connect to 127.0.0.1:{port}: connection refused. Is the broker running"
    )


def test_connection_refused_by_rabbitmqs_port(open_session: OpenSession) -> None:
    open_session(f"amqp://127.0.0.1:{free_port()}//").until_fault("refused")


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_an_unknown_host_name(open_session: OpenSession, scheme: str) -> None:
    words = open_session(f"{scheme}://no-such-host.invalid/0").until_fault("dns")
    assert "Cannot resolve the host name no-such-host.invalid" in words


@pytest.mark.parametrize(
    ("scheme", "kind"), [("redis", "timeout"), ("amqp", "timeout"), ("rediss", "tls")]
)
def test_a_broker_that_accepts_and_does_not_respond(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch, scheme: str, kind: str
) -> None:
    for limit in ("broker.CONNECT_TIMEOUT", "broker.READ_TIMEOUT", "faults.identify.TIMEOUT"):
        monkeypatch.setattr(f"celtop.cluster.connection.{limit}", 0.5)
    with black_hole() as port:
        live = open_session(f"{scheme}://127.0.0.1:{port}/0")
        live.until_fault(kind)
        assert all(thread.is_alive() for thread in live.session.threads)


def test_the_password_is_wrong(open_session: OpenSession, locked_redis: RedisServer) -> None:
    live = open_session(locked_redis.url(credentials=f":wrong-{PASSWORD}@"))
    words = live.until_fault("auth")
    assert "rejected the user name or password" in words
    assert PASSWORD not in words + "".join(live.log) + str(live.state.broker)


def test_the_password_is_missing(open_session: OpenSession, locked_redis: RedisServer) -> None:
    words = open_session(locked_redis.url()).until_fault("auth")
    assert "requires a password, but the URL has none" in words


def test_the_password_is_right(open_session: OpenSession, locked_redis: RedisServer) -> None:
    live = open_session(locked_redis.url(credentials=f":{PASSWORD}@"))
    live.until_live()
    assert PASSWORD not in live.state.broker.url


def test_rabbitmq_refuses_the_password(
    open_session: OpenSession, rabbit_server: RabbitServer
) -> None:
    live = open_session(rabbit_server.url(credentials=f"guest:{PASSWORD}@"))
    assert PASSWORD not in live.until_fault("auth") + "".join(live.log)


def test_the_database_does_not_exist(open_session: OpenSession, redis_server: RedisServer) -> None:
    words = open_session(redis_server.url(99999)).until_fault("database")
    assert "has no database 99999" in words


def test_the_database_is_not_a_number(open_session: OpenSession, redis_server: RedisServer) -> None:
    url = f"redis://127.0.0.1:{redis_server.port}/main"
    assert "names the database main" in open_session(url).until_fault("url")


def test_the_virtual_host_does_not_exist(
    open_session: OpenSession, rabbit_server: RabbitServer
) -> None:
    words = open_session(rabbit_server.url("nowhere")).until_fault("vhost")
    assert "no virtual host 'nowhere'" in words


def test_tls_to_a_port_without_tls(
    open_session: OpenSession, redis_server: RedisServer, rabbit_server: RabbitServer
) -> None:
    for url in (
        f"rediss://127.0.0.1:{redis_server.port}/0",
        f"amqps://guest:guest@127.0.0.1:{rabbit_server.port}//",
    ):
        open_session(url).until_fault("tls")


def test_the_user_may_not_subscribe(open_session: OpenSession, redis_server: RedisServer) -> None:
    client = redis_server.client()
    client.acl_setuser(
        "deaf", enabled=True, passwords=["+pw"], commands=["+@all"], keys=["*"], reset_channels=True
    )
    words = open_session(redis_server.url(credentials="deaf:pw@")).until_fault("acl")
    assert "&*" in words


def test_no_more_clients(open_session: OpenSession, own_redis: RedisServer) -> None:
    client = own_redis.client()
    client.config_set("maxclients", 1)
    live = open_session(own_redis.url())
    live.until_fault("clients")
    client.config_set("maxclients", 1000)
    live.until_live()


def test_a_server_that_refuses_before_it_is_asked() -> None:
    text = str(explain(ConnectionError("Connection has data"), broker("redis://h:1/0")))
    assert "h:1 has reached its client limit, or is in protected mode" in text


def test_the_scheme_is_unknown(open_session: OpenSession) -> None:
    words = open_session("reddis://localhost/0").until_fault("transport")
    assert "Celery has no transport for reddis://. Did you mean redis://?" in words


@pytest.mark.parametrize(
    ("scheme", "guess"),
    [("ampq", "amqp"), ("RabbitMQ", "amqp"), ("Redis", "redis"), ("valkey", "redis"), ("x", None)],
)
def test_the_nearest_transport_is_proposed(scheme: str, guess: str | None) -> None:
    text = str(explain(KeyError(f"No such transport: {scheme}"), broker(f"{scheme}://h")))
    assert (f"Did you mean {guess}://?" in text) if guess else ("Did you mean" not in text)


def test_the_folders_of_the_filesystem_transport_do_not_exist() -> None:
    error = FileNotFoundError(2, "No such file or directory", "data_in")
    text = str(explain(error, broker("filesystem://")))
    assert "There is no folder /" in text
    assert "data_folder_in" in text


def test_a_url_cannot_name_a_module_to_import(open_session: OpenSession) -> None:
    open_session("os.path://localhost/0").until_fault("transport")


def test_the_driver_is_not_installed(open_session: OpenSession) -> None:
    assert "pip install" in open_session("zookeeper://localhost/0").until_fault("driver")


def test_no_url_at_all(open_session: OpenSession) -> None:
    assert "-b" in open_session("").until_fault("url")


def test_the_socket_does_not_exist(open_session: OpenSession) -> None:
    words = open_session("redis+socket:///no/such/redis.sock").until_fault("socket")
    assert "/no/such/redis.sock" in words


def test_sentinels_that_are_not_running(open_session: OpenSession) -> None:
    port = free_port()
    url = f"sentinel://127.0.0.1:{port};sentinel://127.0.0.1:{port + 1}"
    live = open_session(url, broker_transport_options={"master_name": "mymaster"})
    assert "No sentinel responds at" in live.until_fault("sentinel")
    assert "master_name" in open_session(url).until_fault("url")


@pytest.mark.parametrize(
    "url", ["redis+socket://[x", "redis://[", "sentinel://[;sentinel://]", "amqp://h:x", "]://["]
)
def test_an_unparsable_url_does_not_end_the_thread(url: str) -> None:
    assert str(explain(OSError("no way"), broker(url)))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionError("LOADING Redis is loading the dataset in memory"), "loading"),
        (ConnectionError("READONLY You can't write against a read only replica."), "replica"),
        (ConnectionError("OOM command not allowed when used memory > 'maxmemory'."), "memory"),
        (ConnectionResetError(104, "Connection reset by peer"), "closed"),
        (OSError(113, "No route to host"), "unreachable"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed: Hostname mismatch"), "tls"),
        (RuntimeError("something new"), "other"),
    ],
)
def test_other_errors_are_recognized_by_their_text(error: Exception, kind: str) -> None:
    fault = explain(error, broker())
    assert fault.kind == kind
    assert fault.problem


def test_the_cause_of_a_wrapped_error_is_reported() -> None:
    try:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as inner:
            raise RuntimeError("operational error") from inner
    except RuntimeError as outer:
        assert explain(outer, broker()).kind == "refused"


@pytest.mark.parametrize("spelled", [PASSWORD, "p%40ss:w/ord", "p@ss"])
def test_no_password_in_an_errors_text(spelled: str) -> None:
    from urllib.parse import quote, unquote

    url = f"amqp://me:{quote(spelled, safe='%')}@host:5672//;redis://:{PASSWORD}@other/0"
    text = f"failed: {url} and {unquote(spelled)} and {quote(spelled, safe='')}"
    shown = str(explain(RuntimeError(text), broker(url)))
    assert PASSWORD not in shown
    assert unquote(spelled) not in shown
    assert spelled not in shown


def test_no_password_of_the_result_backend_either() -> None:
    told = BrokerConnection(Settings(result_backend=f"db+postgresql://me:{PASSWORD}@db/x"))
    assert told.hide(f"cannot log in with {PASSWORD}") == "cannot log in with ***"


class TestTls:
    """Certificates made for the test; Redis with TLS alone."""

    @pytest.fixture
    def certificates(self, tmp_path: Path) -> dict[str, str]:
        return make_certificates(tmp_path)

    @pytest.fixture
    def tls_redis(self, tmp_path: Path, certificates: dict[str, str]) -> Iterator[RedisServer]:
        server = RedisServer(tmp_path, scheme="rediss")
        server.options = (
            "--port", "0", "--tls-port", str(server.port), "--tls-auth-clients", "no",
            "--tls-cert-file", certificates["cert"], "--tls-key-file", certificates["key"],
            "--tls-ca-cert-file", certificates["ca"],
        )  # fmt: skip
        yield server.start()
        server.kill()

    def test_a_bare_url_works_and_shows_what_is_not_verified(
        self, tls_redis: RedisServer, open_session: OpenSession, start_worker: StartWorker
    ) -> None:
        start_worker(tls_redis.url() + "?ssl_cert_reqs=none")
        live = open_session(tls_redis.url())
        live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.stats)
        live.until(lambda: live.state.broker.unverified is not None)
        assert "certificate is not verified" in str(live.state.broker.unverified)

    def test_verified_against_an_authority(
        self, tls_redis: RedisServer, certificates: dict[str, str], open_session: OpenSession
    ) -> None:
        url = f"{tls_redis.url()}?ssl_cert_reqs=required&ssl_ca_certs={certificates['ca']}"
        live = open_session(url)
        live.until_live()
        assert live.state.broker.unverified is None

    def test_options_as_in_broker_use_ssl(
        self, tls_redis: RedisServer, certificates: dict[str, str], open_session: OpenSession
    ) -> None:
        options = {"ssl_cert_reqs": "CERT_REQUIRED", "ssl_ca_certs": certificates["ca"]}
        plain = tls_redis.url().replace("rediss", "redis")
        open_session(plain, broker_use_ssl=options).until_live()

    def test_an_unknown_authority(self, tls_redis: RedisServer, open_session: OpenSession) -> None:
        words = open_session(f"{tls_redis.url()}?ssl_cert_reqs=required").until_fault("tls")
        assert "not signed by a trusted authority" in words

    def test_the_certificate_is_for_another_host(
        self, tls_redis: RedisServer, certificates: dict[str, str], open_session: OpenSession
    ) -> None:
        url = f"rediss://localhost:{tls_redis.port}/0?ssl_cert_reqs=required"
        url += f"&ssl_ca_certs={certificates['ca']}&ssl_check_hostname=true"
        assert "another host name" in open_session(url).until_fault("tls")

    def test_rabbitmq_over_tls(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        certificates: dict[str, str],
        open_session: OpenSession,
    ) -> None:
        files = {
            "cacertfile": certificates["ca"],
            "certfile": certificates["cert"],
            "keyfile": certificates["key"],
        }
        server = RabbitServer(tmp_path_factory.mktemp("tls"), tls=files).start()
        try:
            url = f"amqps://guest:guest@127.0.0.1:{server.tls_port}//"
            assert "not signed by a trusted authority" in open_session(url).until_fault("tls")
            known = f"{url}?ssl_cert_reqs=required&ssl_ca_certs={certificates['ca']}"
            live = open_session(known)
            live.until_live()
            assert "issued for this host" in str(live.state.broker.unverified)
            options = {"ca_certs": certificates["ca"], "server_hostname": "127.0.0.1"}
            live = open_session(url, broker_use_ssl=options | {"cert_reqs": "required"})
            live.until_live()
            assert live.state.broker.unverified is None
        finally:
            server.close()


def test_a_connection_cut_during_login(
    open_session: OpenSession, redis_server: RedisServer
) -> None:
    proxy = TcpProxy(redis_server.port)
    live = open_session(f"redis://127.0.0.1:{proxy.port}/0")
    live.until_live()
    proxy.close()
    live.until(lambda: live.state.broker.fault is not None)
    assert live.state.broker.fault is not None
    assert live.state.broker.fault.kind in ("closed", "refused")
