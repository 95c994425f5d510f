"""Tasks that have ended meanwhile are neither called terminated nor marked as revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from celtop.cluster.operations.tasks.revoke import revoke
from celtop.model.operations.commands import Revoke
from celtop.model.operations.outcome import KnownTargets, Outcome
from celtop.model.operations.summary import sentence
from celtop.tests.cluster.operations.run_operation import OperationRun
from celtop.tests.cluster.workers import Workers, workers
from celtop.tests.servers import RedisServer, until


@pytest.fixture(scope="module")
def cluster(
    redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workers]:
    directory = tmp_path_factory.mktemp("recheck")
    with workers(directory, redis_server.next_url(), "prefork") as made:
        yield made


def terminated(cluster: Workers, *ids: str, known: KnownTargets, **settings: Any) -> Outcome:
    operation = Revoke(ids=ids, workers=cluster.names(), terminate=True)
    outcome = OperationRun(cluster.url, operation, known_targets=known, **settings).run(revoke)
    return msgspec.structs.replace(outcome, ended_at=1.0)


def revoked(cluster: Workers) -> list[str]:
    found: list[str] = cluster.inspect("prefork", "revoked")
    return found


def test_a_task_that_events_report_as_finished(cluster: Workers) -> None:
    id_ = cluster.send("plain.ok")
    live = cluster.live
    live.until(lambda: (task := live.state.tasks.get(id_)) is not None and task.finished)
    outcome = cluster.do(Revoke(ids=(id_,), workers=cluster.names(), terminate=True))
    assert sentence(outcome) == "Did not terminate 1 task: already finished (SUCCESS)"
    assert outcome.targets[id_].verdict == "refused"
    assert id_ not in revoked(cluster)


def test_a_task_that_the_backend_has_as_finished(
    cluster: Workers, redis_server: RedisServer, redis_url: str
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    for id_, state in (("ended", "FAILURE"), ("skipped", "REVOKED"), ("again", "SUCCESS")):
        meta = {"status": state, "result": None, "date_done": "2026-01-01T00:00:00+00:00"}
        client.set(f"celery-task-meta-{id_}", json.dumps(meta))
    known = KnownTargets(begun_at={"ended": 5.0, "again": 2e9})
    ids = ("ended", "skipped", "again")
    outcome = terminated(cluster, *ids, known=known, result_backend=redis_url)
    assert outcome.targets["ended"].text == "already finished (FAILURE)"
    assert outcome.having("confirmed") == ("skipped", "again")
    assert sentence(outcome).startswith("Terminated 0 of 3 tasks")
    held = revoked(cluster)
    assert {"skipped", "again"} <= set(held) and "ended" not in held


def test_a_running_task_of_which_no_end_is_known_yet(cluster: Workers) -> None:
    name = cluster.names("prefork")[0]
    running = cluster.send("plain.slow", 60)
    waiting = cluster.send("plain.retry", 3600)
    until(lambda: cluster.inspect("prefork", "scheduled"))
    # The attempt that asked for the retry may be active for a moment longer.
    until(lambda: [one["id"] for one in cluster.inspect("prefork", "active")] == [running])
    known = KnownTargets(running=dict.fromkeys((running, waiting, "ended"), name))
    outcome = terminated(cluster, running, waiting, "ended", known=known)
    assert outcome.targets["ended"].text == f"no longer running on {name}"
    assert outcome.having("confirmed") == (running, waiting)
    assert sentence(outcome) == (
        "Terminated 1 of 3 tasks; 1 of 1 worker confirmed, 1 refused "
        f"(no longer running on {name}); no worker had 1 of them: only marked as revoked"
    )
    assert "ended" not in revoked(cluster)
