from __future__ import annotations

from collections.abc import Callable

from celtop.tests.servers import CeleryWorker, RabbitServer, RedisServer, until


def test_each_test_has_its_own_redis_database(redis_server: RedisServer, redis_url: str) -> None:
    database = int(redis_url.rsplit("/", 1)[1])
    assert database > 0
    assert redis_server.client(database).dbsize() == 0


def test_a_worker_runs_a_task(
    redis_url: str,
    start_worker: Callable[..., CeleryWorker],
    send: Callable[..., str],
) -> None:
    worker = start_worker(redis_url, pool="solo")
    task_id = send(redis_url, "plain.ok", 7)
    until(lambda: f"plain.ok[{task_id}] succeeded" in worker.child.output)


def test_each_test_has_its_own_virtual_host(rabbit_server: RabbitServer, amqp_url: str) -> None:
    assert rabbit_server.queue_names(amqp_url) == []
