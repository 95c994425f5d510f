"""`celtop retry` of finished tasks that no event of was received: the result backend has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celtop.tests.cluster.results.conftest import django_environment
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.operation_commands import Cluster, logged
from celtop.tests.servers import APPS

Send = Any
VALUES = ("text", 2, [1.5, None], ("tuple", True))


def test_by_id_and_by_filter_from_django_db(
    cluster: Cluster,
    start_worker: StartWorker,
    send: Send,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    env = django_environment(monkeypatch, tmp_path, cluster.url)
    conf = {"result_backend": "django-db", "result_extended": True}
    worker = start_worker(cluster.url, app="django_project", conf=conf, env=env, queues=["own"])
    cluster.env |= {name: env[name] for name in env}
    cluster.env |= {"TEST_BROKER_URL": cluster.url, "TEST_CONF": '{"result_backend": "django-db"}'}
    id_ = send(cluster.url, "results.echo", *VALUES, kwargs={"key": {"é": 1}}, queue="own")
    logged(worker, f"results.echo[{id_}] succeeded")
    app = ("-A", "django_project", "--workdir", str(APPS))
    by_id = cluster.run_confirmed("retry", id_, *app)
    assert "arguments from the result backend" in by_id.stderr
    new = by_id.stdout.split()[1]
    # The app routes its tasks to its default queue, which no worker consumes.
    assert "queue from the app's routes" in by_id.stderr
    assert f"id {new}, queue celery" in by_id.stderr
    by_filter = cluster.run_confirmed("retry", "--filter", f"id:{id_}", "--queue", "own", *app)
    new = by_filter.stdout.split()[1]
    logged(worker, f"results.echo[{new}] succeeded")
    lines = [line for line in worker.child.output.splitlines() if "succeeded" in line]
    first, second = (line.rpartition(": ")[2] for line in lines)
    assert first == second


def test_without_an_app_the_workers_determine_the_queue(
    cluster: Cluster, start: StartWorker, send: Send
) -> None:
    worker = start(queues=["own"], conf={"result_backend": cluster.url, "result_extended": True})
    id_ = send(cluster.url, "obedient.note", "x", queue="own", exchange="")
    logged(worker, "GOT")
    document = cluster.outcome("retry", "--filter", "state:success")
    assert [(one["retry_of"], one["queue"]) for one in document["sent"]] == [(id_, "own")]
    logged(worker, "GOT", 2)


def test_tasks_that_a_filter_cannot_decide_about_are_counted(
    cluster: Cluster, start: StartWorker, send: Send
) -> None:
    worker = start(queues=["own"], conf={"result_backend": cluster.url})
    for text in "xy":
        send(cluster.url, "obedient.note", text, queue="own", exchange="")
    logged(worker, "GOT", 2)
    ended = cluster.run_confirmed("retry", "--filter", "name:obedient.* state:success", code=1)
    assert "Could not compare 2 tasks whose name is unknown. Pass their ids" in ended.stderr
    assert "set result_extended = True" in ended.stderr
    assert "No task matches the filter" in ended.stderr
