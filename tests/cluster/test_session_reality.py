"""Real workers that die, and tasks that finish during a disconnection."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from celtop.model.entities.worker import OFFLINE_AFTER_HEARTBEATS
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy
from celtop.tests.servers import RedisServer

Send = Callable[..., str]
T = TypeVar("T")

INTERVAL = 1
"""Seconds between two heartbeats of the workers."""
SOON_VISIBLE = 3
"""Seconds after which Redis redelivers an unacknowledged message."""


def ticking(live: RunningSession, condition: Callable[[], T]) -> Callable[[], T]:
    """Return the condition with the model's clock kept going, as an application does."""

    def ticked() -> T:
        live.state.tick(time.time())
        return condition()

    return ticked


def test_tasks_of_a_killed_worker_are_lost_and_found_when_redelivered(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    transport = {"visibility_timeout": SOON_VISIBLE}
    options: dict[str, Any] = {
        "pool": "prefork",
        "concurrency": 3,
        "events": True,
        "options": ["--heartbeat-interval", str(INTERVAL)],
        "conf": {
            "task_acks_late": True,
            "worker_prefetch_multiplier": 1,
            "result_backend": redis_url,
            "broker_transport_options": transport,
        },
    }
    first = start_worker(redis_url, name="w1", **options)
    live = open_session(redis_url, broker_transport_options=transport)
    live.until_live()
    ids = [send(redis_url, "plain.slow", 60) for _ in range(3)]
    tasks = live.state.tasks

    def all_run() -> bool:
        return all(id_ in tasks and tasks[id_].running for id_ in ids)

    live.until(ticking(live, all_run))
    live.until(lambda: live.state.workers["w1@test"].frequency == INTERVAL)
    first.child.kill()
    window = INTERVAL * OFFLINE_AFTER_HEARTBEATS
    live.until(ticking(live, lambda: all(tasks[id_].loss == "worker" for id_ in ids)), window + 5.0)
    for id_ in ids:
        lost_at, worker = tasks[id_].lost_at, live.state.workers["w1@test"]
        assert lost_at is not None and worker.last_seen_at is not None
        assert lost_at - worker.last_seen_at < window + 2.0
        again_at = live.state.redelivery_at(tasks[id_])
        received_at = tasks[id_].received_at
        assert again_at is not None and received_at is not None
        assert again_at - received_at < SOON_VISIBLE + 1.0
    assert live.state.totals.corrections == {"lost": 3}

    start_worker(redis_url, name="w2", **options)
    live.until(ticking(live, lambda: all_run() and {tasks[i].worker for i in ids} == {"w2@test"}))
    assert [tasks[id_].attempts[0].worker for id_ in ids] == ["w1@test"] * 3
    assert live.state.totals.corrections == {"lost": 3, "redelivered": 3}
    live.until(ticking(live, lambda: any("3 tasks lost with w1@test" in text for text in live.log)))


def test_a_task_that_finished_during_a_disconnection_is_finished(
    own_redis: RedisServer, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    proxy = TcpProxy(own_redis.port)
    worker = start_worker(own_redis.url(), events=True, conf={"result_backend": own_redis.url()})
    url = f"redis://127.0.0.1:{proxy.port}/0"
    live = open_session(url, result_backend=url)
    live.until(lambda: "w1@test" in live.state.workers)
    id_ = send(own_redis.url(), "plain.slow", 3)
    tasks = live.state.tasks
    live.until(lambda: id_ in tasks and tasks[id_].state == "STARTED")
    proxy.close()
    live.until(lambda: live.state.broker.phase == "lost")
    live.until(lambda: f"[{id_}] succeeded" in worker.child.output)
    proxy.open()
    live.until_live()
    back = time.monotonic()
    live.until(ticking(live, lambda: tasks[id_].state == "SUCCESS"))
    assert time.monotonic() - back < 10.0, "no row claims for longer what the backend contradicts"
    live.until(ticking(live, lambda: live.state.totals.corrections == {"finished": 1}))
    assert tasks[id_].result == "3"
    proxy.close()
