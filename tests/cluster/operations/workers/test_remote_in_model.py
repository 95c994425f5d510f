"""The effects of operations on real workers appear in the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from celtop.cluster.session import RunningOperation
from celtop.model.confirm.dispatch import confirm
from celtop.model.entities.worker import Limits
from celtop.model.operations.call import Call, SentTask
from celtop.model.operations.commands import RateLimit, Revoke, TimeLimit, Trigger
from celtop.model.operations.summary import sentence
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker

Send = Callable[..., str]

ONE = ("w1@test",)
HELD = Limits("10/m", 30.0, 60.5)


def ended(live: RunningSession, act: RunningOperation) -> str:
    """Wait until an operation has ended in the model, and return its outcome."""

    def known() -> str:
        outcome = live.state.operations.get(act.outcome.number)
        return sentence(outcome) if outcome is not None and outcome.ended else ""

    return live.until(known, what=f"the end of {act.outcome}")


def test_limits_are_those_that_the_worker_reports(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url, app="limited")
    live = open_session(redis_url)
    live.until(lambda: "w1@test" in live.state.workers)
    known = live.state.workers["w1@test"]
    live.until(lambda: known.initial_limits is not None, what="limits are told")
    assert known.registered == ("limited.free", "limited.held", "limited.wait_for")
    assert known.limits == known.initial_limits == {"limited.held": HELD}
    for command in (
        RateLimit(ONE, "limited.held", "5/s"),
        TimeLimit(ONE, "limited.held", None, 9.0),
        RateLimit(ONE, "limited.free", "1/h"),
    ):
        assert confirm(command, live.state, 0.0).refusal is None
        told = ended(live, live.session.do(command))
        assert told.endswith("1 of 1 worker confirmed"), told
    changed = {"limited.held": Limits("5/s", None, 9.0), "limited.free": Limits("1/h")}
    assert known.limits == changed
    assert "New rate limit for tasks of type limited.held: 5/s." in worker.child.output
    # What the model concluded is what the worker itself would say.
    known.limits = {}
    live.session.refresh()
    live.until(lambda: known.limits == changed, what="the worker tells the same")
    assert known.initial_limits == {"limited.held": HELD}


def test_a_revocation_shows_until_the_worker_skips_the_task(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send, tmp_path: Path
) -> None:
    start_worker(redis_url, app="limited", pool="prefork", concurrency=1, events=True)
    live = open_session(redis_url)
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.conf)
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    first = send(redis_url, "limited.wait_for", str(gate), queue="celery")
    live.until(lambda: (t := live.state.tasks.get(first)) is not None and t.running)
    act = live.session.do(Trigger((Call("limited.free", (str(trace),), queue="celery"),)))
    told = ended(live, act)
    (sent,) = live.state.operations[act.outcome.number].sent
    assert told == f"Sent limited.free; id {sent.id}, queue celery"
    waiting = live.state.tasks[sent.id]
    assert waiting.state in ("PENDING", "RECEIVED")
    assert (waiting.name, waiting.queue) == ("limited.free", "celery")
    revoke = live.session.do(Revoke((sent.id,), ONE))
    assert ended(live, revoke) == "Revoked 1 task; 1 of 1 worker confirmed"
    assert waiting.revoking
    gate.touch()
    live.until(lambda: waiting.finished, what="the task is skipped")
    assert (waiting.state, waiting.revoking) == ("REVOKED", False)
    assert not trace.exists()
    assert len([entry for entry in live.state.log if entry.source == "operation"]) == 4


def test_no_secret_of_a_real_task_is_kept(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    start_worker(redis_url, app="limited", events=True)
    live = open_session(redis_url, redact=["passw(or)?d"])
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.events_enabled)
    id_ = send(redis_url, "limited.held", {"password": "s3cr3t"}, queue="celery")
    live.until(lambda: (t := live.state.tasks.get(id_)) is not None and t.finished)
    held = live.state.tasks[id_]
    assert held.state == "FAILURE"  # it takes no argument
    assert held.args == "({'password': '***'},)"
    assert "s3cr3t" not in repr(held)


def test_no_secret_leaves_a_session_for_the_screen(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Send
) -> None:
    worker = start_worker(redis_url, queues=["taken"], conf={"result_backend": redis_url})
    live = open_session(redis_url, redact=["passw(or)?d"], result_backend=redis_url, audit_file="")
    done = send(redis_url, "plain.ok", {"password": "s3cr3t"}, queue="taken")
    waiting = send(redis_url, "plain.ok", {"password": "s3cr3t"}, queue="idle")
    live.until(lambda: f"[{done}] succeeded" in worker.child.output)
    meta = live.until(lambda: live.session.lookups.result(done).result(20))
    assert meta is not None and meta.result == {"password": "***"}
    (seen,) = live.session.lookups.peek("idle", 10).result(20).messages
    assert seen.args == "({'password': '***'},)"
    live.until(lambda: "idle" in live.state.queues, what="the queue is known, and so looked into")
    # What is sent again is what was sent, hidden or not.
    (found,) = live.session.lookups.recover_calls([waiting]).result(20)
    assert isinstance(found, SentTask) and found.call.args == ({"password": "s3cr3t"},)
