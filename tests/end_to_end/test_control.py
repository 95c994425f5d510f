"""`celtop control`: each command is verified in the worker's own state or log."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.tests.cli.conftest import CELTOP
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.operation_commands import (
    Cluster,
    logged,
    shared_cluster,
    start_obedient,
)
from celtop.tests.servers import CeleryWorker, RedisServer, until

Send = Callable[..., str]
Shared = tuple[Cluster, CeleryWorker]


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One worker for the tests that do not change it."""
    with shared_cluster(redis_server.next_url(), tmp_path_factory.mktemp("control")) as both:
        yield both


def queues(cluster: Cluster, worker: CeleryWorker) -> dict[str, tuple[str, str]]:
    """Return the queues that a worker consumes, each with its exchange and routing key."""
    return {
        queue["name"]: (queue["exchange"]["name"], queue["routing_key"])
        for queue in cluster.asked("active_queues", worker)
    }


def limits(cluster: Cluster, worker: CeleryWorker) -> str:
    """Return the limits of `obedient.note`, as the worker reports them."""
    lines: list[str] = cluster.asked(
        "registered", worker, taskinfoitems=["rate_limit", "time_limit", "soft_time_limit"]
    )
    return next(line for line in lines if line.startswith("obedient.note"))


class TestPools:
    @pytest.mark.slow
    def test_growing_and_shrinking_one_of_two(self, cluster: Cluster, start: StartWorker) -> None:
        one, two = (start(name=name, pool="prefork", concurrency=1) for name in ("one", "two"))

        def processes(worker: CeleryWorker) -> int:
            return len(cluster.asked("stats", worker)["pool"]["processes"])

        cluster.run_confirmed("control", "grow", "2", "-w", "one")
        until(lambda: processes(one) == 3)
        assert processes(two) == 1
        cluster.run_confirmed("control", "shrink", "1", "-w", "one")
        until(lambda: processes(one) == 2)
        # As `celery control` has it.
        cluster.run_confirmed("control", "pool_grow", "-d", "one@test,two@test")
        until(lambda: (processes(one), processes(two)) == (3, 2))

    def test_threads_refuse_to_grow(self, cluster: Cluster, start: StartWorker) -> None:
        start(name="fork", pool="prefork", concurrency=1)
        start(name="thread", pool="threads")
        document = cluster.outcome("control", "grow", "1", "--all", code=1)
        verdicts = {one["name"]: one["verdict"] for one in document["workers"]}
        assert verdicts == {"fork@test": "confirmed", "thread@test": "refused"}
        assert document["good"] is False

    @pytest.mark.slow
    def test_restart(self, cluster: Cluster, start: StartWorker) -> None:
        worker = start(pool="prefork", concurrency=1, conf={"worker_pool_restarts": True})
        [before] = cluster.asked("stats", worker)["pool"]["processes"]
        cluster.run_confirmed("control", "restart", "--all")
        until(lambda: cluster.asked("stats", worker)["pool"]["processes"] != [before])

    def test_autoscale(self, cluster: Cluster, start: StartWorker) -> None:
        worker = start(pool="prefork", options=["--autoscale=3,1"])
        cluster.run_confirmed("control", "autoscale", "5", "2", "--all")
        scaler = cluster.asked("stats", worker)["autoscaler"]
        assert (scaler["max"], scaler["min"]) == (5, 2)


class TestConsumers:
    def test_adding_and_cancelling(self, shared: Shared) -> None:
        cluster, worker = shared
        cluster.run_confirmed(
            "control", "add-consumer", "extra", "--exchange", "x", "--routing-key", "k", "--all"
        )
        assert queues(cluster, worker)["extra"] == ("x", "k")
        cluster.run_confirmed("control", "cancel-consumer", "extra", "-w", "w1@test")
        until(lambda: "extra" not in queues(cluster, worker))

    @pytest.mark.slow
    def test_pausing_a_queue_and_resuming_it_in_another_process(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        one, two = start(name="one", queues=["a", "b"]), start(name="two", queues=["b"])
        bound = ("--exchange", "x", "--routing-key", "k")
        cluster.run_confirmed("control", "add-consumer", "odd", *bound, "-w", "one")
        before = queues(cluster, one), queues(cluster, two)
        for queue in ("odd", "b"):
            assert "Paused" in cluster.run_confirmed("control", "pause", queue).stdout
        assert "already paused" in cluster.run_confirmed("control", "pause", "b", code=1).stderr
        assert set(queues(cluster, one)) == {"a"}
        assert not queues(cluster, two)
        send(cluster.url, "obedient.other", queue="b")
        for queue in ("odd", "b"):
            cluster.run_confirmed("control", "resume", queue)
        assert (queues(cluster, one), queues(cluster, two)) == before
        until(lambda: "OTHER ran" in one.child.output + two.child.output)
        assert "was not paused" in cluster.run_confirmed("control", "resume", "b", code=1).stderr
        assert "a, b" in cluster.run_confirmed("control", "pause", "nope", code=2).stderr

    def test_pausing_beside_a_worker_whose_queues_are_unknown(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        one = start(queues=["b"])
        solo = start(name="solo", pool="solo", concurrency=1, queues=["a"])
        send(cluster.url, "obedient.hold", queue="a")
        logged(solo, "HOLDING")
        ended = cluster.run_confirmed("control", "pause", "b")
        assert "The queues of solo@test are unknown" in ended.stderr
        assert not queues(cluster, one)


class TestLimits:
    def test_rate(self, shared: Shared) -> None:
        cluster, worker = shared
        cluster.run_confirmed("control", "rate-limit", "obedient.note", "10/m", "--all")
        assert "rate_limit=10/m" in limits(cluster, worker)
        lifted = cluster.run_confirmed("control", "rate-limit", "obedient.note", "none", "--all")
        assert "Removed the rate limit of obedient.note" in lifted.stdout
        assert "rate_limit=10/m" not in limits(cluster, worker)
        strange = ("control", "rate-limit", "no.such", "1/s", "--all")
        assert "no.such" in cluster.run_confirmed(*strange, code=1).stdout
        planned = cluster.run(*strange, "--dry-run")
        assert planned.returncode == 1
        assert "this would be refused" in planned.stdout

    @pytest.mark.slow
    def test_a_time_limit_that_is_not_given_is_kept(self, shared: Shared) -> None:
        cluster, worker = shared
        line = ("control", "time-limit", "obedient.note", "--all")
        cluster.run_confirmed(*line, "--soft", "5", "--hard", "60")
        assert "soft_time_limit=5" in limits(cluster, worker)
        cluster.run_confirmed(*line, "--hard", "90")
        assert "soft_time_limit=5" in limits(cluster, worker)
        assert "time_limit=90" in limits(cluster, worker)
        cluster.run_confirmed(*line, "--soft", "none")
        assert "soft_time_limit=5" not in limits(cluster, worker)
        assert "time_limit=90" in limits(cluster, worker)


class TestPing:
    @pytest.mark.slow
    def test_ping_and_heartbeat_need_no_confirmation(
        self, cluster: Cluster, start: StartWorker
    ) -> None:
        start(name="one")
        start(name="two")
        ended = cluster.run("control", "ping")
        assert ended.returncode == 0
        assert "2 of 2 workers replied" in ended.stdout
        assert "one@test: pong" in ended.stdout
        assert cluster.run("control", "heartbeat", "-w", "two").returncode == 0

    def test_reports_are_printed_even_if_read_only(self, shared: Shared) -> None:
        cluster, _ = shared
        ended = cluster.run("--read-only", "control", "report")
        assert ended.returncode == 0
        assert "software -> celery:" in ended.stdout
        assert "- rss" in cluster.run("control", "memdump").stdout
        (reply,) = json.loads(cluster.run("control", "report", "--json").stdout)["workers"]
        assert (reply["verdict"], "platform" in reply["text"]) == ("confirmed", True)

    def test_events(self, shared: Shared) -> None:
        cluster, worker = shared
        cluster.run_confirmed("control", "enable-events")
        logged(worker, "Events of group {task} enabled by remote")
        cluster.run_confirmed("control", "disable-events", "--all")
        logged(worker, "Events of group {task} disabled by remote")
        assert worker.child.output.count("enabled by remote") == 1

    def test_without_workers(self, cluster: Cluster) -> None:
        ended = cluster.run_confirmed("control", "ping", code=4)
        assert "No worker replied" in ended.stderr


class TestShutdown:
    def test_shutdown_of_one(self, cluster: Cluster, start: StartWorker) -> None:
        one, two = start(name="one"), start(name="two")
        cluster.run_confirmed("control", "shutdown", "-w", "one")
        assert one.child.wait() == 0
        assert two.child.alive
        assert "Got shutdown from remote" in one.child.output

    @pytest.mark.slow
    def test_draining_lets_running_tasks_finish(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(concurrency=1)
        send(cluster.url, "obedient.hold", 6)
        logged(worker, "HOLDING")
        cluster.run_confirmed("control", "drain", "--all")
        assert worker.child.wait() == 0
        assert "LET GO" in worker.child.output

    def test_ctrl_c_undoes_a_drain(self, cluster: Cluster, start: StartWorker, send: Send) -> None:
        worker = start(concurrency=1, queues=["a", "b"])
        send(cluster.url, "obedient.hold", queue="a")
        logged(worker, "HOLDING")
        before = queues(cluster, worker)
        running: subprocess.Popen[str] = subprocess.Popen(
            (*CELTOP, "-b", cluster.url, "control", "drain", "--all", "--yes"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cluster.env,
        )  # fmt: skip
        until(lambda: not queues(cluster, worker), what="it consumes nothing")
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
        assert running.returncode == 130
        assert "Interrupted" in errors
        assert queues(cluster, worker) == before
        assert worker.child.alive


@pytest.mark.slow
def test_on_rabbitmq(
    amqp_url: str, start_worker: StartWorker, send: Callable[..., Any], tmp_path: Path
) -> None:
    """The same on RabbitMQ, which cannot list waiting messages: that is reported."""
    cluster = Cluster(amqp_url, tmp_path)
    worker = start_obedient(start_worker, cluster, pool="prefork", concurrency=1)
    held = send(amqp_url, "obedient.hold", 8)
    logged(worker, "HOLDING")
    reserved = send(amqp_url, "obedient.note", 1)
    logged(worker, "received", 2)
    ended = cluster.run_confirmed("revoke", "--filter", "name:obedient.note")
    assert "Messages waiting in queues are unknown: RabbitMQ" in ended.stderr
    assert "Revoked 1 task; 1 of 1 worker confirmed" in ended.stdout
    assert cluster.asked("revoked", worker) == [reserved]
    cluster.run_confirmed("control", "pause", "celery")
    assert not queues(cluster, worker)
    sent = cluster.run_confirmed("trigger", "obedient.note", "--args", "[2]", "--queue", "celery")
    cluster.run_confirmed("control", "resume", "celery")
    logged(worker, f"Discarding revoked task: obedient.note[{reserved}]")
    logged(worker, f"[{sent.stdout.strip()}] succeeded")
    assert held in worker.child.output
    cluster.app.close()
