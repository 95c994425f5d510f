"""A session looks up results in the backend of the settings or of the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection.metering import ConnectionMeter
from celtop.cluster.results.backends.base import ResultsError
from celtop.cluster.results.lookups import ResultLookup
from celtop.settings import Settings
from celtop.tests.cluster.conftest import RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import until


@pytest.fixture
def live(redis_url: str) -> Iterator[RunningSession]:
    session = RunningSession(redis_url)
    yield session
    session.session.stop()


def test_the_backend_of_the_workers_configuration_is_read(
    redis_url: str, live: RunningSession, start_worker: StartWorker, send: Callable[..., str]
) -> None:
    with pytest.raises(ResultsError, match="the result backend is unknown"):
        live.session.lookups.result("x").result(10.0)
    server = redis_url.rsplit("/", 1)[0]
    start_worker(redis_url, app="results", conf={"result_backend": f"{server}/1001"})
    live.until(lambda: (worker := live.state.workers.get("w1@test")) is not None and worker.conf)
    ids = [send(redis_url, "results.echo", number) for number in range(50)]

    def results() -> list[Any] | None:
        found = [
            future.result(10.0) for future in [live.session.lookups.result(id_) for id_ in ids]
        ]
        return None if None in found else [meta.result["args"] for meta in found if meta]

    assert until(results) == [[number] for number in range(50)]
    assert live.session.lookups.result("x").result(10.0) is None


APP = """
import os
from celery import Celery
from celery.backends.base import KeyValueStoreBackend

class Own(KeyValueStoreBackend):
    def get(self, key):
        return '{"status": "SUCCESS", "result": %d}' % os.getpid()

app = Celery("proj", broker="memory://")
"""


def test_an_app_is_loaded_once_and_ends_with_the_session(tmp_path: Path) -> None:
    (tmp_path / "proj.py").write_text(APP)
    settings = Settings(app="proj", workdir=str(tmp_path), result_backend="proj:Own")
    lookup = ResultLookup(settings, ConnectionMeter())
    first, second = (lookup.result(id_, None).result(20.0) for id_ in ("a", "b"))
    assert first is not None and second is not None and first.result == second.result
    assert Path(f"/proc/{first.result}").exists()
    lookup.close()
    until(lambda: not Path(f"/proc/{first.result}").exists(), what="the app's process ended")


def test_a_new_search_stops_the_one_before() -> None:
    lookup = ResultLookup(Settings(), ConnectionMeter())
    first, second = lookup.begin_search(), lookup.begin_search()
    assert first.is_set() and not second.is_set()
