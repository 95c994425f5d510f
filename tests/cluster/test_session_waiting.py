"""Tasks that wait in a worker, or in a queue for the task that they replace."""

from __future__ import annotations

import time
from collections.abc import Callable

from celtop.model.entities.task import Task
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.cluster.test_session_reality import ticking
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import until

Send = Callable[..., str]


def test_tasks_that_wait_in_a_worker_are_known_to_a_later_session(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    conf = {
        "result_backend": redis_url,
        "task_annotations": {"plain.ok": {"rate_limit": "1/m"}},
    }
    worker = start_worker(redis_url, conf=conf)
    again = send(redis_url, "plain.retry", 300)
    later = send(redis_url, "plain.slow", 1, countdown=300)
    held = [send(redis_url, "plain.ok", number) for number in range(3)]
    until(lambda: f"[{held[-1]}] received" in worker.child.output)
    live = open_session(redis_url, result_backend=redis_url)
    tasks = live.state.tasks

    def state(id_: str) -> tuple[str, str | None, int | None] | None:
        task = tasks.get(id_)
        return None if task is None else (task.state, task.worker, task.retries)

    live.until(ticking(live, lambda: state(again) == ("RETRY", "w1@test", 1)))
    live.until(ticking(live, lambda: state(later) == ("RECEIVED", "w1@test", 0)))
    live.until(ticking(live, lambda: [tasks[id_].held_by for id_ in held[1:]] == ["1/m"] * 2))
    search = live.session.lookups.find_task(again)
    live.until(search.done)
    places = {one.place: one.text for one in search.result().places}
    assert places["workers"] == "scheduled on w1@test"
    assert state(again) == ("RETRY", "w1@test", 1)
    assert all((tasks[id_].eta_at or 0) > time.time() + 200 for id_ in (again, later))
    assert live.state.totals.corrections == {}


def test_a_replacement_waits_in_its_queue_and_is_not_redelivered(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url)
    live = open_session(redis_url, queue_interval=1.0)
    live.session.watch(frozenset({"queues"}))
    live.until(lambda: "w1@test" in live.state.workers)
    live.until(lambda: live.state.workers["w1@test"].events_enabled)
    here = send(redis_url, "plain.replaced", "celery")
    elsewhere = send(redis_url, "plain.replaced", "unattended")
    tasks = live.state.tasks
    live.until(ticking(live, lambda: here in tasks and tasks[here].state == "SUCCESS"))

    def requeued() -> Task | None:
        task = tasks.get(elsewhere)
        return task if task is not None and task.queue == "unattended" else None

    task = live.until(ticking(live, requeued))
    assert task is not None
    assert (task.state, task.name, task.worker, task.started_at) == (
        "PENDING", "plain.slow", None, None,
    )  # fmt: skip
    assert elsewhere not in live.state.workers["w1@test"].active_ids
    assert [[one.state for one in tasks[id_].attempts] for id_ in (here, elsewhere)] == [
        ["IGNORED"]
    ] * 2
    assert live.state.totals.corrections == {}
