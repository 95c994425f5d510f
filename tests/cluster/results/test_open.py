"""The result backend comes from the settings, the app, or the workers' configuration."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.cluster.results.backends.base import ResultsError, UnavailableResults
from celtop.cluster.results.open import _zone, open_results
from celtop.settings import Settings, load_settings
from celtop.tests.conftest import StartWorker


def unavailable(result_backend: str | None = None, conf: Any = None, **settings: Any) -> str:
    reader = open_results(Settings(result_backend=result_backend, **settings), conf)
    assert isinstance(reader, UnavailableResults)
    assert reader.unavailable is not None
    with pytest.raises(ResultsError) as caught:
        reader.read(["x"])
    assert str(caught.value) == reader.unavailable
    reader.close()
    return reader.unavailable


def place(conf: dict[str, Any], **settings: Any) -> str:
    """Return the URL that is read with this configuration of the workers."""
    reader = open_results(Settings(**settings), conf)
    assert reader.unavailable is None, reader.unavailable
    url: str = reader.__dict__["_url"]
    return url


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("rpc://", "only to the task's caller"),
        ("disabled", "not stored"),
        ("disabled://", "not stored"),
        ("django-db", "django-db can only be read through the app: name it with -A"),
        ("acme.results:Backend", "only be read through the app: name it with -A"),
        ("django-cache", "celtop never loads"),
        ("cache+memory://", "memory of each worker"),
        ("cache", "set cache+memcached://HOST"),
        ("elasticsearch://u:hunter2@h/db", "cannot read results from elasticsearch://"),
        ("nonsense", "cannot read results from nonsense://"),
        ("redis", "cannot read results from redis://"),
    ],
)
def test_backends_that_cannot_be_read(backend: str, words: str) -> None:
    told = unavailable(backend)
    assert words in told and "hunter2" not in told


def test_no_result_backend() -> None:
    assert "--result-backend" in unavailable()
    for conf in ({}, {"result_backend": None}, {"result_backend": 5}):
        assert "if CELERY_RESULT_BACKEND gives them one, set" in unavailable(conf=conf)


def test_backend_names_that_celery_truncates() -> None:
    assert "django-db can only be read through the app" in unavailable(
        conf={"result_backend": "://ngo-db/"}
    )
    assert "celtop never loads" in unavailable(conf={"result_backend": "://ngo-cache/"})
    assert "not stored" in unavailable(conf={"result_backend": "://abled/"})


def test_a_masked_password_is_taken_from_the_broker_if_it_is_the_same_server() -> None:
    conf = {"result_backend": "redis://:********@h:6379/3"}
    assert "mask the password" in unavailable(conf=conf)
    assert "mask the password" in unavailable(conf=conf, broker_url="redis://:pw@other/0")
    assert "mask the password" in unavailable(conf=conf, broker_url="redis://ann:pw@h/0")
    assert "mask the password" in unavailable(conf=conf, broker_url="amqp://:pw@h/0")
    assert place(conf, broker_url="redis://:pw@h/0") == "redis://:pw@h/3"
    secure = {"result_backend": "rediss://ann:**@h:6379/3"}
    broker = "rediss://ann:pw@h/0?ssl_cert_reqs=none"
    assert place(secure, broker_url=broker) == "rediss://ann:pw@h/3?ssl_cert_reqs=none"
    # The setting takes precedence over the workers' configuration.
    assert place(conf, result_backend="redis://:other@h/4") == "redis://:other@h/4"


def test_truncated_and_masked_values_are_not_guessed() -> None:
    assert "do not report the database" in unavailable(
        conf={"result_backend": "redis+socket:///tmp/redis.sock"}
    )
    hidden = {"global_keyprefix": "********"}
    conf = {"result_backend": "redis://h:1/3", "result_backend_transport_options": hidden}
    assert "key prefix" in unavailable(conf=conf)
    assert "key prefix" in unavailable("redis://h/3", conf)
    told = {"result_backend_transport_options": {"global_keyprefix": "acme"}}
    assert place(conf, **told) == "redis://h:1/3"
    assert place({"result_backend": "redis://h:1/3"}) == "redis://h:1/3"


def test_time_zones() -> None:
    assert str(_zone({"timezone": "Asia/Tokyo"})) == "Asia/Tokyo"
    for odd in ({}, {"timezone": None}, {"timezone": "No/Where"}, {"timezone": "../etc/passwd"}):
        assert str(_zone(odd)) == "UTC"


def test_configurations_of_real_workers_are_read(
    redis_url: str, start_worker: StartWorker, tmp_path: Any
) -> None:
    from celery import Celery

    backends = {
        "same": redis_url.rsplit("/", 1)[0] + "/999",
        "hidden": "redis://:hunter2@127.0.0.1:1/3",
        "sqlite": f"db+sqlite:///{tmp_path}/r.sqlite3",
        "rpc": "rpc://",
        "none": None,
    }
    for name, url in backends.items():
        start_worker(redis_url, name=name, conf={"result_backend": url, "timezone": "Asia/Tokyo"})
    client = Celery("client", broker=redis_url, fixups=set(), set_as_current=False)
    asked = client.control.inspect(limit=len(backends), timeout=10.0).conf() or {}
    client.close()
    confs = {worker.partition("@")[0]: conf for worker, conf in asked.items()}
    assert set(confs) == set(backends)
    assert place(confs["same"]) == backends["same"]
    assert "mask the password" in unavailable(conf=confs["hidden"])
    assert place(confs["sqlite"]) == backends["sqlite"]
    assert "only to the task's caller" in unavailable(conf=confs["rpc"])
    assert "report no result backend" in unavailable(conf=confs["none"])
    assert str(_zone(confs["same"])) == "Asia/Tokyo"


def test_the_result_backend_of_the_app_is_used(tmp_path: Any) -> None:
    from celtop.cluster.app_probe import describe

    (tmp_path / "proj.py").write_text(
        "import ssl\nfrom celery import Celery\napp = Celery(broker='redis://b/0')\n"
        "app.conf.result_backend = 'rediss://:hunter2@h/5'\n"
        "app.conf.result_backend_transport_options = {'global_keyprefix': 'acme'}\n"
        "app.conf.redis_backend_use_ssl = {'ssl_cert_reqs': ssl.CERT_NONE}\n"
    )

    def told(app: str, workdir: str | None) -> Any:
        found = describe(app, workdir)
        return {name: getattr(found, name) for name in found.__struct_fields__}

    settings = load_settings(
        {"app": "proj", "workdir": str(tmp_path)}, environ={"HOME": str(tmp_path)}, describe=told
    )
    assert settings.result_backend == "rediss://:hunter2@h/5"
    assert settings.result_backend_transport_options == {"global_keyprefix": "acme"}
    assert settings.redis_backend_use_ssl == {"ssl_cert_reqs": 0}
    assert settings.source("redis_backend_use_ssl") == "app proj"
