"""Revoking: proven by what workers log about the tasks, and by the tasks they still have."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from celtop.cluster.connection.remote_control import RemoteControl
from celtop.cluster.connection.replies import Replies
from celtop.cluster.operations.mailbox import Mailbox
from celtop.cluster.operations.tasks.revoke import BLOCK_BYTES, BLOCK_IDS, blocks
from celtop.model.operations.commands import SIGNALS, Revoke, RevokeStamped, Signal
from celtop.tests.cluster.workers import Workers, workers
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer, until


@pytest.fixture(scope="module")
def three(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    directory = tmp_path_factory.mktemp("three")
    with workers(directory, redis_server.next_url(), "prefork", "threads", "solo") as made:
        for pool in made.workers:
            # Each has a queue of its own, so that a test chooses who runs what.
            made.app.control.add_consumer(pool, destination=list(made.names(pool)), reply=True)
        yield made


def running(three: Workers, pool: str, seconds: float, **options: Any) -> str:
    """Have a worker run a task; return its id."""
    id_ = three.send("plain.slow", seconds, queue=pool, **options)
    until(lambda: id_ in [one["id"] for one in three.inspect(pool, "active")])
    return id_


def test_a_task_that_waits_is_never_run(three: Workers) -> None:
    id_ = three.send("plain.ok", queue="prefork", countdown=1.5)
    until(lambda: three.logged("prefork", id_))
    outcome = three.do(Revoke(ids=(id_,), workers=three.names()))
    assert outcome.good
    assert set(outcome.workers) == set(three.names())
    until(lambda: three.logged("prefork", f"Discarding revoked task: plain.ok[{id_}]"))
    assert not three.logged("prefork", f"plain.ok[{id_}] succeeded")


def test_every_worker_receives_the_ids_even_unexpected_ones(three: Workers) -> None:
    ids = tuple(str(uuid.uuid4()) for _ in range(3))
    outcome = three.do(Revoke(ids=ids, workers=three.names("prefork")))
    assert outcome.good
    until(lambda: all(set(ids) <= set(three.inspect(pool, "revoked")) for pool in three.workers))


def test_a_running_task_is_ended_by_the_signal_where_the_pool_can(three: Workers) -> None:
    id_ = running(three, "prefork", 60)
    (process,) = (one["worker_pid"] for one in three.inspect("prefork", "active"))
    idle = str(uuid.uuid4())
    command = Revoke(ids=(id_, idle), workers=three.names(), terminate=True, signal="SIGKILL")
    outcome = three.do(command)
    assert outcome.good, outcome
    assert outcome.targets[id_].text == "prefork@test has it and sends SIGKILL if it is running"
    assert outcome.targets[idle].text == "no worker has it; marked as revoked"
    until(lambda: three.logged("prefork", f"Terminating {id_} ("))
    until(lambda: process not in three.inspect("prefork", "stats")["pool"]["processes"])
    until(lambda: id_ not in [one["id"] for one in three.inspect("prefork", "active")])


@pytest.mark.parametrize("name", SIGNALS)
def test_each_signal_ends_a_task(three: Workers, name: Signal) -> None:
    """Proven by its process: the worker calls it revoked whatever becomes of it."""
    id_ = running(three, "prefork", 60)
    (process,) = (one["worker_pid"] for one in three.inspect("prefork", "active"))
    outcome = three.do(Revoke(ids=(id_,), workers=three.names(), terminate=True, signal=name))
    assert outcome.good, outcome
    raised = f"plain.slow[{id_}] raised unexpected: SoftTimeLimitExceeded"
    until(
        lambda: (
            process not in three.inspect("prefork", "stats")["pool"]["processes"]
            or three.logged("prefork", raised)
        )
    )


def test_threads_cannot_terminate_and_the_outcome_names_the_task(three: Workers) -> None:
    id_ = running(three, "threads", 4)
    idle = str(uuid.uuid4())
    command = Revoke(ids=(id_, idle), workers=three.names(), terminate=True)
    outcome = three.do(command)
    assert outcome.targets[id_].verdict == "refused"
    assert "keeps running but will not be started again" in outcome.targets[id_].text
    assert outcome.targets[idle].verdict == "confirmed"
    assert outcome.workers_having("refused") == ("threads@test",)
    until(lambda: three.logged("threads", f"plain.slow[{id_}] succeeded"))
    assert id_ in three.inspect("threads", "revoked")


def test_a_task_that_may_still_run_is_not_reported_as_terminated(
    three: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = running(three, "threads", 1)
    send = RemoteControl.send

    def break_at_the_second(control: RemoteControl, commands: Any, *args: Any) -> Replies:
        if commands == ["query_task"]:
            raise ConnectionResetError("Connection reset by peer")
        return send(control, commands, *args)

    monkeypatch.setattr(RemoteControl, "send", break_at_the_second)
    outcome = three.do(Revoke(ids=(id_, "other"), workers=three.names(), terminate=True))
    assert outcome.fault is not None and outcome.fault.kind == "closed"
    assert {one.verdict for one in outcome.targets.values()} == {"refused"}


def test_a_block_being_sent_when_the_connection_breaks_is_unsure(
    three: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = RemoteControl.send
    sent: list[str] = []

    def break_at_the_second(control: RemoteControl, commands: Any, *args: Any) -> Replies:
        sent.extend(commands)
        if len(sent) == 2:
            raise ConnectionResetError("Connection reset by peer")
        return send(control, commands, *args)

    monkeypatch.setattr(RemoteControl, "send", break_at_the_second)
    ids = tuple(str(uuid.uuid4()) for _ in range(2 * BLOCK_IDS + 1))
    outcome = three.do(Revoke(ids=ids, workers=three.names()))
    verdicts = [outcome.targets[id_].verdict for id_ in ids]
    assert verdicts == ["confirmed"] * BLOCK_IDS + ["unsure"] * BLOCK_IDS + ["unsent"]
    assert {one.verdict for one in outcome.workers.values()} == {"unsure"}
    assert len(sent) == 2, "nothing is sent again"
    assert not outcome.good


def test_tasks_with_a_stamp_are_revoked_and_ended(three: Workers) -> None:
    stamp = str(uuid.uuid4())
    id_ = running(three, "prefork", 60, stamped_headers=["batch"], batch=stamp)
    other = running(three, "threads", 1)
    outcome = three.do(
        RevokeStamped(header="batch", values=(stamp,), workers=three.names(), terminate=True)
    )
    assert outcome.good
    assert set(outcome.targets) == {f"batch={stamp}"}
    until(lambda: id_ not in [one["id"] for one in three.inspect("prefork", "active")])
    until(lambda: three.logged("threads", f"plain.slow[{other}] succeeded"))


def test_ten_thousand_take_one_broadcast_a_block(three: Workers, redis_server: RedisServer) -> None:
    ids = tuple(str(uuid.uuid4()) for _ in range(10_000))
    client = redis_server.client()
    heard = _published(client)
    outcome = three.do(Revoke(ids=ids, workers=three.names()))
    assert outcome.good
    assert len(outcome.targets) == 10_000
    sent = [one for one in heard() if one.get("method") == "revoke"]
    assert len(sent) == 10_000 // BLOCK_IDS
    assert [id_ for one in sent for id_ in one["arguments"]["task_id"]] == list(ids)
    assert {one["destination"] for one in sent} == {None}
    for pool in three.workers:
        assert set(ids) <= set(three.inspect(pool, "revoked"))


def _published(client: Any) -> Any:
    """Return a function that returns the control messages since now."""
    subscription = client.pubsub()
    subscription.psubscribe("*celery.pidbox")
    assert subscription.get_message(timeout=5)["type"] == "psubscribe"

    def messages() -> list[dict[str, Any]]:
        found = []
        while message := subscription.get_message(timeout=0.5):
            body = json.loads(message["data"])["body"]
            found.append(json.loads(base64.b64decode(body)))
        subscription.close()
        return found

    return messages


def test_a_worker_that_is_killed_is_named_and_nothing_is_called_done(
    three: Workers, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.cluster.operations.tasks.revoke.REPLY_TIMEOUT", 2.0)
    monkeypatch.setattr("celtop.cluster.operations.tasks.revoke.TIMEOUT_PER_ID", 0.0)
    doomed = start_worker(three.url, name="doomed", pool="solo", queues=["doomed"])
    doomed.freeze()
    ids = tuple(str(uuid.uuid4()) for _ in range(BLOCK_IDS + 1))
    awaited: list[bool] = []
    wait = Mailbox.wait

    def waiting(
        mailbox: Mailbox, replies: Replies, expected: Sequence[str], timeout: float
    ) -> None:
        awaited.append("doomed@test" in expected)
        wait(mailbox, replies, expected, timeout)

    monkeypatch.setattr(Mailbox, "wait", waiting)
    act = three.live.session.do(Revoke(ids=ids, workers=(*three.names(), "doomed@test")))
    until(lambda: act.outcome.stage)
    doomed.child.kill()
    outcome = act.future.result(20)
    assert awaited == [True, False], "it is waited for once, not with every block"
    assert {outcome.targets[id_].verdict for id_ in ids} == {"silent"}
    assert outcome.targets[ids[-1]].text == "no reply from doomed@test"
    assert outcome.workers_having("silent") == ("doomed@test",)
    assert len(outcome.workers_having("confirmed")) == 3


def test_without_any_worker_it_is_refused_since_it_would_be_lost(three: Workers) -> None:
    outcome = three.do(Revoke(ids=("a", "b"), workers=()))
    assert outcome.refusal is not None
    assert "no worker is connected" in outcome.refusal
    assert outcome.having("unsent") == ("a", "b")


def test_more_than_a_worker_remembers_is_refused(three: Workers) -> None:
    ids = tuple(map(str, range(50_001)))
    outcome = three.do(Revoke(ids=ids, workers=three.names()))
    assert outcome.refusal is not None and "50,000" in outcome.refusal


def test_blocks_are_bounded_in_number_and_in_bytes() -> None:
    ids = [f"{number:036d}" for number in range(2 * BLOCK_IDS + 1)]
    assert [len(block) for block in blocks(ids)] == [BLOCK_IDS, BLOCK_IDS, 1]
    assert [id_ for block in blocks(ids) for id_ in block] == ids
    long = ["x" * (BLOCK_BYTES // 2) + str(number) for number in range(4)]
    assert [len(block) for block in blocks(long)] == [1, 1, 1, 1]
    assert list(blocks(["a", "b", "a"])) == [("a", "b")]
