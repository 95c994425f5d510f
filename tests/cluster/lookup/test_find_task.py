"""One task is looked for everywhere, while some places cannot be searched."""

from __future__ import annotations

from collections.abc import Callable

from celtop.cluster.session import Session
from celtop.model.lookup import TaskLookup
from celtop.settings import Settings
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.operation_commands import logged
from celtop.tests.servers import RedisServer

Send = Callable[..., str]


def searched(settings: Settings, id_: str) -> tuple[Session, TaskLookup]:
    """Look for a task in a session that was never started, without known workers."""
    session = Session(settings)
    found = session.lookups.find_task(id_).result(20)
    while session.pump(0.0, 1.0).more:
        pass
    session.stop()
    return session, found


def test_without_a_broker_the_backend_is_searched(
    own_redis: RedisServer, start_worker: StartWorker, send: Send
) -> None:
    url = own_redis.url()
    worker = start_worker(url, app="results", conf={"result_backend": own_redis.url(1)})
    id_ = send(url, "results.echo", 1)
    logged(worker, "succeeded")
    nowhere = Settings(broker_url="redis://127.0.0.1:1/0", result_backend=own_redis.url(1))
    session, found = searched(nowhere, id_)
    looked = {one.place: one for one in found.places}
    assert looked["queues"].found is looked["workers"].found is None
    assert "127.0.0.1:1" in looked["workers"].text
    assert looked["backend"].found is True
    assert session.state.tasks[id_].state == "SUCCESS"


def test_each_source_is_listed_and_updates_the_model(
    redis_url: str, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(redis_url, app="results")
    id_ = send(redis_url, "results.echo", "word", countdown=60)
    logged(worker, "received")
    session, found = searched(Settings(broker_url=redis_url, queues=("celery",)), id_)
    assert [one.source for one in found.found] == ["message held by a worker", "worker w1@test"]
    assert session.state.tasks[id_].state == "RECEIVED"
    assert not found.not_found


def test_a_password_in_the_brokers_url_is_masked() -> None:
    _, found = searched(Settings(broker_url="redis://:geheim@127.0.0.1:1/0"), "x")
    assert found.not_found
    assert "geheim" not in str(found)
