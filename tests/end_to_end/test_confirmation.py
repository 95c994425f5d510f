"""The confirmation on a terminal: its text, its answers, and the default answer no."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from celtop.tests.cli.conftest import CELTOP
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.operation_commands import Cluster, logged, start_obedient
from celtop.tests.servers import CeleryWorker, RedisServer, until
from celtop.tests.terminal import Terminal

Send = Callable[..., str]


@pytest.fixture
def worker(cluster: Cluster, start_worker: StartWorker) -> CeleryWorker:
    return start_obedient(start_worker, cluster, queues=["own"])


def terminal(cluster: Cluster, *words: str) -> Terminal:
    """Return celtop on a terminal of its own."""
    return Terminal((*CELTOP, "-b", cluster.url, *words), env=cluster.env)


@pytest.mark.parametrize("answer", ["\r", "n\r", "yess\r"])
def test_anything_but_yes_means_no(
    cluster: Cluster, worker: CeleryWorker, send: Send, answer: str
) -> None:
    id_ = send(cluster.url, "obedient.note", queue="q")
    with terminal(cluster, "revoke", id_) as screen:
        text = screen.wait_for("Revoke? [y/N]")
        assert "Revoke 1 task?" in text
        assert id_[:8] in text
        assert "1 worker expected to confirm" in text
        screen.send(answer)
        assert screen.wait_end() == 1
        assert "Cancelled; nothing was sent" in screen.text()
    assert cluster.asked("revoked", worker) == []
    assert cluster.audit() == []


def test_yes(cluster: Cluster, worker: CeleryWorker, send: Send) -> None:
    id_ = send(cluster.url, "obedient.note", queue="q")
    with terminal(cluster, "revoke", id_) as screen:
        screen.wait_for("Revoke? [y/N]")
        screen.send("y\r")
        screen.wait_for("Revoked 1 task; 1 of 1 worker confirmed")
        assert screen.wait_end() == 0
    assert cluster.asked("revoked", worker) == [id_]


def test_ctrl_c_at_the_question(cluster: Cluster, worker: CeleryWorker) -> None:
    with terminal(cluster, "control", "shutdown", "--all") as screen:
        screen.wait_for("Type shutdown to confirm")
        screen.send("\x03")
        assert screen.wait_end() == 130
    assert cluster.asked("active", worker) == []


def test_a_queue_is_purged_by_typing_its_name(
    cluster: Cluster, worker: CeleryWorker, send: Send
) -> None:
    send(cluster.url, "obedient.note", queue="bills")

    def purge(answer: str) -> tuple[int, str]:
        with terminal(cluster, "purge", "bills") as screen:
            screen.wait_for("Type bills to confirm")
            assert "1  obedient.note" in screen.text()
            screen.send(answer)
            return screen.wait_end(), screen.text()

    assert purge("y\r")[0] == 1
    code, text = purge("bills\r")
    assert code == 0
    assert "Purged 1 message from bills" in text


def test_many_tasks_are_revoked_by_typing_their_number(
    cluster: Cluster, worker: CeleryWorker, send: Send
) -> None:
    for number in range(21):
        send(cluster.url, "obedient.note", number, queue="q")
    with terminal(cluster, "revoke", "--filter", "queue:q") as screen:
        screen.wait_for("Type 21 to confirm")
        assert "and 16 more" in screen.text()
        screen.send("21\r")
        assert screen.wait_end() == 0
    assert len(cluster.asked("revoked", worker)) == 21


@pytest.mark.slow
def test_a_drain_shows_its_progress(cluster: Cluster, worker: CeleryWorker, send: Send) -> None:
    released = cluster.directory / "released"
    send(cluster.url, "obedient.hold_until", str(released), queue="own")
    logged(worker, "HOLDING")
    with terminal(cluster, "control", "drain", "--all") as screen:
        screen.wait_for("Type drain to confirm")
        screen.send("drain\r")
        screen.wait_for("1 active")
        released.touch()
        assert screen.wait_end(30) == 0
        assert "Drained w1@test; 1 of 1 worker confirmed" in screen.text()
    until(lambda: not worker.child.alive, what="the worker has ended")


def test_triggering_an_unregistered_task_asks_and_warns(
    cluster: Cluster, worker: CeleryWorker
) -> None:
    with terminal(cluster, "trigger", "obedient.typo", "--queue", "own") as screen:
        screen.wait_for("Send? [y/N]")
        assert "has registered obedient.typo" in screen.text()
        screen.send("n\r")
        assert screen.wait_end() == 1
    assert "typo" not in worker.child.output


def test_a_broker_that_is_lost_between_the_question_and_the_answer(
    own_redis: RedisServer, tmp_path: Path, start_worker: StartWorker
) -> None:
    lost = Cluster(own_redis.url(), tmp_path)
    start_obedient(start_worker, lost)
    with terminal(lost, "trigger", "obedient.note", "--queue", "celery") as screen:
        screen.wait_for("Send? [y/N]")
        own_redis.kill()
        screen.send("y\r")
        assert screen.wait_end(30) == 3
        assert "Did not send obedient.note" in screen.text()
    lost.app.close()


@pytest.mark.slow
def test_a_broker_that_is_lost_during_a_drain_and_comes_back(
    own_redis: RedisServer, tmp_path: Path, start_worker: StartWorker, send: Send
) -> None:
    lost = Cluster(own_redis.url(), tmp_path)
    worker = start_obedient(start_worker, lost, concurrency=1)
    send(lost.url, "obedient.hold")
    logged(worker, "HOLDING")
    with terminal(lost, "control", "drain", "--all", "--yes") as screen:
        logged(worker, "Canceling queue celery")
        own_redis.kill()
        screen.wait_for("Lost the connection to the broker")
        own_redis.start()
        screen.wait_for("Reconnected to the broker")
        screen.send("\x03")
        assert screen.wait_end(30) == 130
    assert worker.child.alive
    lost.app.close()
