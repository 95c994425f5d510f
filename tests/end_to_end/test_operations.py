"""Revoke, retry, trigger and purge from the command line: proven by the workers themselves."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.tests.cli.conftest import CELTOP
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.operation_commands import Cluster, broadcasts, logged, shared_cluster
from celtop.tests.servers import APPS, CeleryWorker, RedisServer, until

Send = Callable[..., str]


def busy(cluster: Cluster, send: Send, worker: CeleryWorker, slots: int = 1) -> list[str]:
    """Fill a worker's slots."""
    ids = [send(cluster.url, "obedient.hold") for _ in range(slots)]
    logged(worker, "HOLDING", slots)
    return ids


class TestRevoke:
    @pytest.mark.slow
    def test_read_only_refuses_and_the_task_runs(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(concurrency=1)
        id_ = send(cluster.url, "obedient.note", "hello", countdown=6)
        logged(worker, "received")
        ended = cluster.run("--read-only", "revoke", id_, "--yes")
        assert ended.returncode == 1
        assert "read-only" in ended.stdout + ended.stderr
        logged(worker, "GOT ('hello',)")
        assert "revoked" not in worker.child.output

    @pytest.mark.slow
    def test_waiting_tasks_by_id_and_from_stdin(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(concurrency=1)
        ids = [send(cluster.url, "obedient.note", n, countdown=5) for n in range(3)]
        logged(worker, "received", 3)
        ended = cluster.run_confirmed("revoke", ids[0], "-", stdin=f"{ids[1]}\n{ids[1]}\n")
        assert "Revoked 2 tasks; 1 of 1 worker confirmed" in ended.stdout
        logged(worker, f"Discarding revoked task: obedient.note[{ids[0]}]")
        logged(worker, f"Discarding revoked task: obedient.note[{ids[1]}]")
        logged(worker, "GOT (2,)")
        assert worker.child.output.count("GOT") == 1
        assert all(ids[0] in json.dumps(line) for line in cluster.audit())
        assert cluster.audit()

    def test_a_running_task_is_stopped_only_by_terminate(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(concurrency=1, pool="prefork")
        [id_] = busy(cluster, send, worker)
        ended = cluster.run_confirmed("revoke", id_, code=1)
        assert "terminat" in ended.stderr
        ended = cluster.run_confirmed("revoke", id_, "--terminate", "--signal", "kill")
        assert "Terminated 1" in ended.stdout
        logged(worker, f"Terminating {id_} (9)")
        until(lambda: cluster.asked("active", worker) == [], what="nothing runs")
        assert "LET GO" not in worker.child.output

    def test_threads_cannot_terminate(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(concurrency=1, pool="threads")
        [id_] = busy(cluster, send, worker)
        ended = cluster.run_confirmed("revoke", id_, "--terminate", code=1)
        assert "threads" in ended.stderr
        assert "revoked" not in worker.child.output

    @pytest.mark.slow
    def test_tasks_already_in_a_threads_pool_are_reported(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        """The worker confirms the revocation, but runs the task."""
        worker = start(concurrency=1, pool="threads")
        send(cluster.url, "obedient.hold", 4)
        logged(worker, "HOLDING")
        id_ = send(cluster.url, "obedient.note", 1)
        logged(worker, "received", 2)
        assert "already in a thread pool" in cluster.run_confirmed("revoke", id_).stderr
        logged(worker, f"Tasks flagged as revoked: {id_}")
        logged(worker, "GOT (1,)")

    def test_a_finished_task_is_left_alone(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(conf={"result_backend": cluster.url})
        id_ = send(cluster.url, "obedient.note", 1)
        logged(worker, "succeeded")
        assert "SUCCESS" in cluster.run_confirmed("revoke", id_, code=1).stderr
        assert cluster.asked("revoked", worker) == []

    @pytest.mark.slow
    def test_by_stamp(self, cluster: Cluster, start: StartWorker, send: Send) -> None:
        worker = start(concurrency=1)
        headers = {"stamped_headers": ["customer"], "stamps": {"customer": ["c1"]}}
        stamped = send(cluster.url, "obedient.note", 1, countdown=6, headers=headers)
        send(cluster.url, "obedient.note", 2, countdown=6)
        logged(worker, "received", 2)
        cluster.run_confirmed("revoke", "--stamp", "customer=c1")
        logged(worker, "GOT (2,)")
        logged(worker, f"Discarding revoked task: obedient.note[{stamped}]")

    def test_a_workflow_by_its_group(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(queues=["elsewhere"])
        mine = [send(cluster.url, "obedient.note", n, queue="q", group_id="g1") for n in range(3)]
        send(cluster.url, "obedient.other", queue="q")
        document = cluster.outcome("-Q", "q", "revoke", "--workflow", "g1")
        assert sorted(one["name"] for one in document["targets"]) == sorted(mine)
        assert sorted(cluster.asked("revoked", worker)) == sorted(mine)
        assert (
            "Unknown workflow"
            in cluster.run_confirmed("revoke", "--workflow", "nope", code=1).stderr
        )

    @pytest.mark.slow
    def test_a_silent_worker_is_named(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        start(name="good")
        stopped = start(name="stopped")
        stopped.freeze()
        ended = cluster.run_confirmed("control", "grow", "1", "-w", "stopped@test", code=4)
        assert "stopped@test" in ended.stdout
        assert "did not reply" in ended.stdout

    def test_a_busy_solo_worker_is_named_and_not_counted(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        start(name="free", queues=["elsewhere"])
        solo = start(name="solo", pool="solo", concurrency=1)
        busy(cluster, send, solo)
        waiting = send(cluster.url, "obedient.note")
        ended = cluster.run_confirmed("revoke", waiting, code=4)
        assert "1 of 2 workers confirmed" in ended.stdout
        assert "solo@test: did not reply" in ended.stdout

    def test_a_dry_run_does_nothing(self, cluster: Cluster, start: StartWorker, send: Send) -> None:
        worker = start(queues=["elsewhere"])
        id_ = send(cluster.url, "obedient.note", queue="q")
        ended = cluster.run("revoke", id_, "--dry-run")
        assert ended.returncode == 0
        assert id_[:8] in ended.stdout
        assert "nothing was sent" in ended.stdout
        document = json.loads(cluster.run("revoke", id_, "--dry-run", "--json").stdout)
        assert document["dry_run"] is True
        assert cluster.asked("revoked", worker) == []
        assert cluster.audit() == []

    @pytest.mark.slow
    def test_thousands_of_waiting_tasks_by_filter(
        self, cluster: Cluster, start: StartWorker, redis_server: RedisServer
    ) -> None:
        worker = start(queues=["elsewhere"], concurrency=4)
        with cluster.app.producer_or_acquire() as producer:
            for number in range(3_015):
                name = "obedient.other" if number % 201 == 200 else "obedient.note"
                cluster.app.send_task(name, queue="geo", producer=producer)
        began = time.monotonic()
        with broadcasts(redis_server.client(), "revoke") as count:
            document = cluster.outcome("revoke", "--filter", "name:obedient.note queue:geo")
            took = time.monotonic() - began
            sent = count()
        print(f"3,000 revoked by filter in {took:.1f} s, {sent} broadcasts")
        assert len(document["targets"]) == 3_000
        assert {one["verdict"] for one in document["targets"]} == {"confirmed"}
        assert 1 <= sent <= 6
        cluster.run_confirmed("control", "add-consumer", "geo", "--all")
        logged(worker, "OTHER ran", 15, timeout=60)
        until(lambda: not _waiting(cluster, "geo"), 60, "the queue is empty")
        logged(worker, "Discarding revoked task", 3_000, timeout=60)
        assert "GOT" not in worker.child.output


def _waiting(cluster: Cluster, queue: str) -> int:
    with cluster.app.connection_for_read() as connection:
        return int(connection.default_channel.client.llen(queue))


LONG = "Größe ☃ " * 625


class TestRetry:
    def test_with_extended_results_the_worker_receives_the_same(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(conf={"result_backend": cluster.url, "result_extended": True})
        id_ = send(cluster.url, "obedient.fail", LONG, 2, key={"ä": None})
        logged(worker, "raised")
        ended = cluster.run_confirmed("retry", id_)
        old, new = ended.stdout.split()
        assert old == id_ != new
        assert "the result backend" in ended.stderr
        logged(worker, f"{new}] raised")
        first, second = (line for line in worker.child.output.splitlines() if "GOT" in line)
        assert first.split("GOT")[1] == second.split("GOT")[1]
        assert ascii(LONG)[1:-1] in second

    def test_a_task_whose_arguments_are_truncated_is_refused(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start()
        id_ = send(cluster.url, "obedient.fail", LONG)
        logged(worker, "raised")
        ended = cluster.run_confirmed("retry", id_, code=1)
        assert ended.stdout == ""
        assert f"{id_}: refused:" in ended.stderr
        assert worker.child.output.count("GOT") == 1
        assert _waiting(cluster, "celery") == 0
        document = cluster.outcome("retry", id_, code=1)
        assert document["sent"] == []
        assert [(one["name"], one["verdict"]) for one in document["targets"]] == [(id_, "refused")]

    def test_of_two_tasks_the_recoverable_one_is_sent(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start()
        lost = send(cluster.url, "obedient.fail", LONG)
        logged(worker, "raised")
        known = send(cluster.url, "obedient.note", "whole", queue="q")
        ended = cluster.run_confirmed("-Q", "q", "retry", lost, known, "--queue", "celery", code=1)
        assert [line.split()[0] for line in ended.stdout.splitlines()] == [known]
        assert f"{lost}: refused:" in ended.stderr
        assert "the message in the queue" in ended.stderr
        logged(worker, "GOT ('whole',)")

    def test_waiting_tasks_by_filter_into_another_queue(
        self, cluster: Cluster, start: StartWorker, send: Send
    ) -> None:
        worker = start(queues=["second"])
        for number in range(2):
            send(cluster.url, "obedient.note", number, queue="first")
        ended = cluster.run_confirmed("retry", "--filter", "queue:first", "--queue", "second")
        assert len(ended.stdout.splitlines()) == 2
        assert "2 tasks may not have finished; the work may be done twice" in ended.stderr
        logged(worker, "GOT", 2)
        assert _waiting(cluster, "first") == 2


class TestTrigger:
    """One worker for all tests, with slots for tasks left running."""

    @pytest.fixture(scope="class")
    def shared(
        self, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[tuple[Cluster, CeleryWorker]]:
        url = redis_server.next_url()
        conf = {"result_backend": url}
        with shared_cluster(
            url, tmp_path_factory.mktemp("trigger"), queues=["own"], concurrency=8, conf=conf
        ) as both:
            yield both

    @pytest.fixture
    def cluster(self, shared: tuple[Cluster, CeleryWorker]) -> Cluster:
        return shared[0]

    @pytest.fixture
    def worker(self, shared: tuple[Cluster, CeleryWorker]) -> CeleryWorker:
        return shared[1]

    def test_its_result(self, cluster: Cluster, worker: CeleryWorker) -> None:
        words = ("obedient.note", "--args", '[1, "é"]', "--kwargs", '{"k": [null]}')
        ended = cluster.run_confirmed("trigger", *words, "--wait", "20")
        assert json.loads(ended.stdout) == [1, "é"]
        logged(worker, "GOT (1, '\\xe9') {'k': [None]}")
        document = cluster.outcome("trigger", *words, "--wait", "20")
        assert document["result"]["value"] == [1, "é"]
        assert document["sent"][0]["queue"] == "own"

    def test_a_failure_and_a_task_that_takes_too_long(
        self, cluster: Cluster, worker: CeleryWorker
    ) -> None:
        ended = cluster.run_confirmed("trigger", "obedient.fail", "--wait", "20", code=1)
        assert ended.stdout == ""
        assert "no such caf" in ended.stderr
        ended = cluster.run_confirmed(
            "trigger", "obedient.hold", "--args", "[60]", "--wait", "1", code=4
        )
        assert ended.stdout == ""

    def test_ctrl_c_while_waiting_prints_the_id(
        self, cluster: Cluster, worker: CeleryWorker
    ) -> None:
        held = worker.child.output.count("HOLDING")
        words = ("trigger", "obedient.hold", "--args", "[60]", "--wait", "60", "--json", "--yes")
        running: subprocess.Popen[str] = subprocess.Popen(
            (*CELTOP, "-b", cluster.url, *words),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cluster.env,
        )  # fmt: skip
        logged(worker, "HOLDING", held + 1)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
        assert running.returncode == 130
        assert json.loads(out)["sent"][0]["id"] in worker.child.output

    def test_likely_mistakes_are_reported(self, cluster: Cluster, worker: CeleryWorker) -> None:
        ended = cluster.run_confirmed("trigger", "obedient.nit", "--queue", "nowhere")
        assert "No worker that replied has registered obedient.nit" in ended.stderr
        assert "No known worker consumes nowhere" in ended.stderr
        assert "consumes" not in cluster.run_confirmed("trigger", "obedient.other").stderr

    def test_arguments_from_a_file_and_stdin(
        self, cluster: Cluster, worker: CeleryWorker, tmp_path: Path
    ) -> None:
        file = tmp_path / "args.json"
        file.write_text('["from a file"]', encoding="utf-8")
        words = ("trigger", "obedient.note", "--args", f"@{file}", "--kwargs", "-")
        ended = cluster.run_confirmed(*words, stdin='{"from": "stdin"}')
        assert len(ended.stdout.strip()) == 36
        logged(worker, "GOT ('from a file',) {'from': 'stdin'}")


class TestTriggerElsewhere:
    """Without a readable result, or with an ambiguous queue."""

    def test_without_a_result_backend_the_event_is_used(
        self, cluster: Cluster, start: StartWorker
    ) -> None:
        start()
        ended = cluster.run_confirmed("trigger", "obedient.note", "--args", "[1]", "--wait", "20")
        assert json.loads(ended.stdout) == "[1]"
        assert "event" in ended.stderr

    def test_an_ambiguous_queue_is_refused(self, cluster: Cluster, start: StartWorker) -> None:
        start(queues=["a", "b"])
        ended = cluster.run_confirmed("trigger", "obedient.note", code=2)
        assert "a, b" in ended.stderr
        assert ended.stdout == ""

    def test_the_app_routes_the_task(
        self, cluster: Cluster, start: StartWorker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        conf = {"task_routes": {"obedient.note": "routed"}, "task_default_queue": "fallback"}
        cluster.env |= {"TEST_BROKER_URL": cluster.url, "TEST_CONF": json.dumps(conf)}
        app = ("-A", "obedient", "--workdir", str(APPS))
        start(queues=["routed", "x"])
        for name, queue in (("obedient.note", "routed"), ("obedient.other", "fallback")):
            document = cluster.outcome("trigger", name, *app)
            assert document["sent"][0]["queue"] == queue


class TestPurge:
    def test_one_name_then_all(self, cluster: Cluster, start: StartWorker, send: Send) -> None:
        start(queues=["elsewhere"])
        for _ in range(3):
            send(cluster.url, "obedient.note", queue="q")
        send(cluster.url, "obedient.other", queue="q")
        ended = cluster.run_confirmed("purge", "q", "--task", "obedient.note", "-Q", "q")
        assert "3  obedient.note" in ended.stderr
        assert "Purged 3 messages" in ended.stdout
        assert _waiting(cluster, "q") == 1
        document: dict[str, Any] = cluster.outcome("purge", "q", "-Q", "q")
        assert document["count"] == 1
        assert _waiting(cluster, "q") == 0
