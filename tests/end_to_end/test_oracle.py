"""Two minutes of misfortune on Redis and on RabbitMQ: nothing that is shown is contradicted."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from celery import Celery
from celtop.export.snapshot.snapshot import take_snapshot
from celtop.model.observations import QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.cluster.conftest import RunningSession
from celtop.tests.end_to_end.oracle import History, Oracle, Truth, at_times
from celtop.tests.network import TcpProxy
from celtop.tests.servers import CeleryWorker, RabbitServer, RedisServer

SECONDS: Final = float(os.environ.get("CELTOP_ORACLE_SECONDS", "120"))
QUEUES: Final = ("celery", "mail", "orphan")


@dataclass
class Cluster:
    """A broker with two workers, and what can happen to it."""

    directory: Path
    url: str
    backend: str
    proxy: TcpProxy
    watched_url: str
    depth: Callable[[str], int]
    alarm: Callable[[bool], object]
    purge: Callable[[str], object]

    def __post_init__(self) -> None:
        self.directory.mkdir()
        self.app = Celery("oracle", broker=self.url, backend=self.backend, set_as_current=False)
        self.app.conf.update(broker_connection_retry_on_startup=True, task_ignore_result=False)
        self.truth = Truth(self.app, self.depth, QUEUES)
        self.stopping = threading.Event()
        self.sent = 0
        self.start_worker("w1", "celery")
        self.start_worker("w2", "mail", pool="prefork")

    def start_worker(self, name: str, queue: str, pool: str = "threads") -> None:
        worker = CeleryWorker(
            self.directory,
            self.url,
            name=name,
            queues=[queue],
            pool=pool,
            conf={"result_backend": self.backend, "task_acks_late": False},
        ).ready()
        self.truth.workers[worker.name] = worker

    def send(self, name: str, queue: str, *args: object) -> None:
        self.app.send_task(f"plain.{name}", args, queue=queue, retry=False)
        self.sent += 1

    def produce(self) -> None:
        """Send a mixture of tasks until stopped."""
        for number in count():
            if self.stopping.wait(0.4):
                return
            queue = ("celery", "mail")[number % 2]
            with suppress(Exception):  # a broker that accepts nothing
                if number % 7 == 3:
                    self.send("fail", queue)
                elif number % 5 == 2:
                    self.send("slow", queue, 4.0)
                else:
                    self.send("ok", queue, number)

    def flood(self) -> None:
        for number in range(400):
            self.send("ok", "orphan", number)

    def pause(self, name: str, seconds: float) -> None:
        """Stop a worker's process for a while, as a debugger or a swapping host does."""
        pid = self.truth.workers[name].child.pid
        os.kill(pid, signal.SIGSTOP)
        timer = threading.Timer(seconds, os.kill, (pid, signal.SIGCONT))
        timer.daemon = True
        timer.start()

    def kill_worker(self, name: str) -> None:
        self.truth.workers[name].child.signal(signal.SIGKILL)

    def run(self) -> Oracle:
        """Put the cluster through everything; return what contradicted it."""
        third = SECONDS / 120
        oracle = Oracle(self.truth)
        live = RunningSession(self.watched_url, result_backend=self.backend)
        live.session.watch(frozenset({"workers", "queues"}))
        self.truth.start()
        producer = threading.Thread(target=self.produce, daemon=True)
        producer.start()
        control = self.app.control
        script: dict[float, Callable[[], object]] = {
            8: lambda: in_background(self.flood),
            18: lambda: in_background(self.purge, "orphan"),
            24: lambda: control.cancel_consumer("mail", destination=["w2@test"]),
            36: lambda: control.add_consumer("mail", destination=["w2@test"]),
            44: lambda: self.pause("w1@test", 5.0),
            54: lambda: self.kill_worker("w2@test"),
            62: lambda: in_background(self.start_worker, "w2", "mail", "prefork"),
            70: lambda: in_background(self.alarm, True),
            80: lambda: in_background(self.alarm, False),
            88: self.proxy.freeze,
        }
        started = time.monotonic()
        act = at_times({at * third: do for at, do in script.items()}, started)
        try:
            while time.monotonic() - started < SECONDS:
                act()
                now = time.time()
                live.pump()
                live.state.tick(now)
                oracle.check(take_snapshot(live.state, now), now)
                time.sleep(max(0.0, 1.0 - (time.time() - now)))
            if live.state.broker.lost_at is not None:
                # It may be connected again within less than a round.
                oracle.statuses.add("lost")
        finally:
            self.stopping.set()
            self.truth.stop()
            live.session.stop()
        return oracle

    def close(self) -> None:
        for worker in self.truth.workers.values():
            worker.child.kill()
        self.proxy.close()
        self.app.close()


def in_background(action: Callable[..., object], *arguments: object) -> None:
    threading.Thread(target=action, args=arguments, daemon=True).start()


def redis_cluster(directory: Path, server: RedisServer) -> Cluster:
    client = server.client()
    proxy = TcpProxy(server.port)
    return Cluster(
        directory,
        server.url(),
        server.url(1),
        proxy,
        f"redis://127.0.0.1:{proxy.port}/0",
        depth=lambda queue: int(client.llen(queue)),
        alarm=lambda on: client.config_set("maxmemory", 1 if on else 0),
        purge=client.delete,
    )


def rabbit_cluster(directory: Path, server: RabbitServer, results: RedisServer) -> Cluster:
    proxy = TcpProxy(server.port)
    local = threading.local()

    def channel() -> Any:
        if getattr(local, "channel", None) is None:
            from amqp import Connection

            local.connection = Connection(f"127.0.0.1:{server.port}")
            local.connection.connect()
            local.channel = local.connection.channel()
        return local.channel

    def depth(queue: str) -> int:
        try:
            return int(channel().queue_declare(queue, passive=True).message_count)
        except Exception:
            local.channel = None
            raise

    return Cluster(
        directory,
        server.url(),
        results.url(2),
        proxy,
        f"amqp://guest:guest@127.0.0.1:{proxy.port}//",
        depth=depth,
        alarm=lambda on: server.limit_memory("1MB" if on else "1GB"),
        purge=lambda queue: channel().queue_purge(queue),
    )


def test_the_oracle_notices_what_is_untrue_for_too_long() -> None:
    truth = Truth(Celery(set_as_current=False), lambda queue: 3, QUEUES)
    depths: History[int] = History()
    truth.depths["mail"] = depths
    state = ClusterState()
    oracle = Oracle(truth)
    for second in range(40):
        now = 1_000_000.0 + second
        depths.add(now, 3)
        state.observe(QueueMeasured("mail", now, waiting=3 if second < 8 else 4))
        oracle.check(take_snapshot(state, now), now)
        assert bool(oracle.contradictions) == (second > 18), (second, oracle.contradictions)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nothing_that_is_shown_is_contradicted(tmp_path: Path, tmp_path_factory: Any) -> None:
    redis, results = RedisServer(tmp_path).start(), RedisServer(tmp_path).start()
    rabbit = RabbitServer(tmp_path_factory.mktemp("oracle")).start()
    clusters = []
    try:
        clusters.append(redis_cluster(tmp_path / "redis", redis))
        clusters.append(rabbit_cluster(tmp_path / "rabbit", rabbit, results))
        with ThreadPoolExecutor(2) as pool:
            oracles = list(pool.map(Cluster.run, clusters))
        found = {
            one.url: oracle.contradictions for one, oracle in zip(clusters, oracles, strict=True)
        }
        assert not any(found.values()), found
        assert all(oracle.checked > 500 for oracle in oracles)
        seen = [oracle.statuses for oracle in oracles]
        assert all({"live", "lost"} <= statuses for statuses in seen), seen
        assert "blocked" in seen[1]
    finally:
        for cluster in clusters:
            cluster.close()
        redis.kill()
        results.kill()
        rabbit.close()
