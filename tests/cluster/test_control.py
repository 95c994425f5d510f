"""Policy, verdicts on all targets whatever happens, and two audit lines per operation."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.control import READ_ONLY, Control
from celtop.cluster.events.roster import Roster
from celtop.cluster.inbox import Inbox
from celtop.cluster.operations.audit import Audit
from celtop.cluster.operations.running import OperationContext, Refused, Unsure
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import LogMessage, OperationChanged
from celtop.model.operations.commands import Operation, Ping, Revoke
from celtop.model.operations.outcome import Answer, Outcome
from celtop.settings import Settings
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker
from celtop.tests.network import TcpProxy, black_hole
from celtop.tests.servers import RedisServer, free_port, until

PING = Ping(workers=("w1", "w2"))
REVOKE = Revoke(ids=("a", "b", "c"), workers=("w1", "w2"))


class ControlUnderTest:
    """A control whose operations are carried out by a function of the test."""

    def __init__(
        self, perform: Callable[[OperationContext], object], path: Path, **options: Any
    ) -> None:
        self.inbox = Inbox(100)
        self.path = path
        broker = BrokerConnection(Settings(broker_url=f"redis://:secret@127.0.0.1:{free_port()}/0"))
        audit = Audit(path, lambda: broker.shown_url)
        self.control = Control(
            broker,
            self.inbox,
            Roster(),
            audit,
            perform=lambda operation, context: perform(context),
            **options,
        )

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def told(self) -> list[Any]:
        return [one for one in iter(self.inbox.take, None)]


@pytest.fixture
def door(tmp_path: Path) -> Callable[..., ControlUnderTest]:
    return lambda perform, **options: ControlUnderTest(perform, tmp_path / "audit.jsonl", **options)


def nothing(context: OperationContext) -> None:
    """Report nothing."""


def verdicts(outcome: Outcome) -> tuple[dict[str, str], dict[str, str]]:
    return (
        {name: one.verdict for name, one in outcome.workers.items()},
        {name: one.verdict for name, one in outcome.targets.items()},
    )


def test_read_only_refuses_before_anything_is_done(door: Callable[..., ControlUnderTest]) -> None:
    done: list[OperationContext] = []
    made = door(done.append, read_only=True)
    outcome = made.control.do(REVOKE).future.result(10)
    assert not done
    assert outcome.refusal == READ_ONLY
    assert verdicts(outcome)[1] == {"a": "unsent", "b": "unsent", "c": "unsent"}
    assert not outcome.good
    _, ended = made.lines()
    assert ended["outcome"]["refusal"] == READ_ONLY
    made.control.read_only = False
    assert made.control.do(REVOKE).future.result(10).refusal is None
    assert len(done) == 1


def test_replies_are_redacted_wherever_they_go(door: Callable[..., ControlUnderTest]) -> None:
    def answer(context: OperationContext) -> None:
        secret = Answer("confirmed", "password='hunter2' ok")
        context.report(workers={"w1": secret}, targets={"a": secret})

    made = door(answer, redact=Redaction(["password"]).text)
    outcome = made.control.do(REVOKE).future.result(10)
    assert outcome.workers["w1"].text == "password='***' ok"
    assert "hunter2" not in f"{outcome}{made.told()}{made.lines()}"


def test_read_only_operations_are_allowed(door: Callable[..., ControlUnderTest]) -> None:
    done: list[OperationContext] = []
    assert door(done.append, read_only=True).control.do(PING).future.result(10).refusal is None
    assert len(done) == 1


def test_a_refused_operation_stays_refused_when_read_only_mode_ends(
    door: Callable[..., ControlUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[OperationContext] = []
    made = door(done.append, read_only=True)
    lifted = threading.Event()
    write = Audit.write

    def late(audit: Audit, *args: Any) -> str | None:
        assert lifted.wait(10)
        return write(audit, *args)

    monkeypatch.setattr(Audit, "write", late)
    act = made.control.do(REVOKE)
    made.control.read_only = False
    lifted.set()
    assert act.future.result(10).refusal == READ_ONLY
    assert not done


def test_it_is_not_done_if_it_is_forbidden_before_it_begins(
    door: Callable[..., ControlUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[OperationContext] = []
    made = door(done.append)
    forbidden = threading.Event()
    write = Audit.write

    def late(audit: Audit, *args: Any) -> str | None:
        assert forbidden.wait(10)
        return write(audit, *args)

    monkeypatch.setattr(Audit, "write", late)
    act = made.control.do(REVOKE)
    made.control.read_only = True
    forbidden.set()
    assert act.future.result(10).refusal == READ_ONLY
    assert not done


def test_everything_not_reached_has_a_verdict(door: Callable[..., ControlUnderTest]) -> None:
    def half(context: OperationContext) -> None:
        context.report(workers={"w1": Answer("confirmed", "pong")})

    outcome = door(half).control.do(PING).future.result(10)
    assert verdicts(outcome)[0] == {"w1": "confirmed", "w2": "unsent"}
    assert verdicts(outcome)[1] == verdicts(outcome)[0]


def test_refusals_faults_and_doubts_are_distinguished(
    door: Callable[..., ControlUnderTest],
) -> None:
    def refuse(context: OperationContext) -> None:
        raise Refused("no such queue")

    def fail(context: OperationContext) -> None:
        context.report(targets={"a": Answer("confirmed")})
        raise ConnectionResetError("Connection reset by peer")

    def doubt(context: OperationContext) -> None:
        context.report(targets={"a": Answer("confirmed")})
        raise Unsure("it broke", ("b",)) from ConnectionResetError("Connection reset by peer")

    def doubt_all(context: OperationContext) -> None:
        raise Unsure("it broke") from BrokenPipeError("Broken pipe")

    outcome = door(refuse).control.do(REVOKE).future.result(10)
    assert (outcome.refusal, outcome.fault) == ("no such queue", None)
    outcome = door(fail).control.do(REVOKE).future.result(10)
    assert outcome.fault is not None and outcome.fault.kind == "closed"
    assert verdicts(outcome)[1] == {"a": "confirmed", "b": "unsent", "c": "unsent"}
    outcome = door(doubt).control.do(REVOKE).future.result(10)
    assert outcome.fault is not None
    assert verdicts(outcome)[1] == {"a": "confirmed", "b": "unsure", "c": "unsent"}
    outcome = door(doubt_all).control.do(REVOKE).future.result(10)
    assert set(verdicts(outcome)[1].values()) == {"unsure"}


def test_the_model_receives_first_and_last_outcome(
    door: Callable[..., ControlUnderTest],
) -> None:
    made = door(nothing)
    act = made.control.do(PING)
    act.future.result(10)
    told = [one.outcome for one in made.told() if isinstance(one, OperationChanged)]
    assert [one.ended for one in told] == [False, True]
    assert told[-1] == act.outcome


@pytest.mark.parametrize(
    ("operation", "required", "refused"),
    [(REVOKE, True, True), (REVOKE, False, False), (PING, True, False)],
)
def test_an_audit_file_that_cannot_be_written_refuses_what_must_be_recorded(
    operation: Operation, required: bool, refused: bool, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done: list[OperationContext] = []
    made = ControlUnderTest(done.append, blocked / "audit.jsonl", audit_required=required)
    outcome = made.control.do(operation).future.result(10)
    assert len(done) == (not refused)
    assert (outcome.refusal is not None and "audit_required" in outcome.refusal) == refused
    assert outcome.unlogged is not None and "audit.jsonl" in outcome.unlogged
    notes = [one.text for one in made.told() if isinstance(one, LogMessage)]
    assert len(notes) == 1 and "Cannot write to the audit file" in notes[0]


def test_operations_end_with_celtop(
    door: Callable[..., ControlUnderTest],
) -> None:
    begun = threading.Event()

    def wait(context: OperationContext) -> None:
        begun.set()
        assert context.cancelled.wait(10)

    made = door(wait)
    act = made.control.do(PING)
    assert begun.wait(10)
    made.control.stop()
    outcome = act.future.result(10)
    assert outcome.workers["w1"] == Answer("unsent", "cancelled before it was sent")
    late = made.control.do(PING).future.result(10)
    assert late.refusal is not None and "exiting" in late.refusal


def test_unfinished_operations_are_audited_as_left(
    door: Callable[..., ControlUnderTest],
) -> None:
    go_on = threading.Event()
    made = door(lambda context: go_on.wait(10))
    act = made.control.do(PING)
    until(lambda: made.path.exists())
    made.control.stop()
    made.control.leave()
    assert [one["phase"] for one in made.lines()] == ["begun", "left"]
    go_on.set()
    act.future.result(10)


def test_a_broker_lost_between_confirmation_and_sending_leaves_nothing_called_done(
    own_redis: RedisServer, open_session: OpenSession, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker(own_redis.url())
    live = open_session(own_redis.url(), audit_file=str(tmp_path / "audit.jsonl"))
    live.until(lambda: "w1@test" in live.state.workers)
    own_redis.kill()
    outcome = live.session.do(Revoke(ids=("a", "b"), workers=("w1@test",))).future.result(20)
    assert outcome.fault is not None and outcome.fault.kind == "refused"
    assert verdicts(outcome) == ({"w1@test": "unsent"}, {"a": "unsent", "b": "unsent"})
    assert not outcome.good
    last = json.loads((tmp_path / "audit.jsonl").read_text().splitlines()[-1])
    assert last["outcome"]["targets"]["counts"] == {"unsent": 2}


def test_a_connection_that_breaks_after_sending_leaves_silence_not_success(
    redis_server: RedisServer, redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    start_worker(redis_url)
    proxy = TcpProxy(redis_server.port)
    live = open_session(redis_url.replace(f":{redis_server.port}", f":{proxy.port}"), audit_file="")
    live.until(lambda: "w1@test" in live.state.workers)
    act = live.session.do(Ping(workers=("w1@test", "nobody@test")))
    until(lambda: "w1@test" in act.outcome.workers)
    proxy.close()
    outcome = act.future.result(20)
    assert outcome.fault is not None
    assert verdicts(outcome)[0] == {"w1@test": "confirmed", "nobody@test": "silent"}


def test_celtop_redelivers_no_task_of_other_workers(
    redis_server: RedisServer,
    redis_url: str,
    open_session: OpenSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """kombu has whoever consumes anything redeliver tasks that were held for an hour by default."""
    monkeypatch.setattr("celtop.cluster.operations.mailbox.REPLY_TIMEOUT", 1.0)
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    properties = {"delivery_tag": "t", "delivery_info": {"exchange": "", "routing_key": "q"}}
    message = {"body": "", "headers": {}, "properties": properties}
    client.hset("unacked", "t", json.dumps([message, "", "q"]))
    client.zadd("unacked_index", {"t": 1.0})
    live = open_session(redis_url, audit_file="")
    live.until_live()
    outcome = live.session.do(Ping(workers=("nobody@test",))).future.result(20)
    assert verdicts(outcome)[0] == {"nobody@test": "silent"}
    assert (client.hlen("unacked"), client.zcard("unacked_index")) == (1, 1)
    assert client.llen("q") == 0


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_never_answers_does_not_keep_celtop_from_ending(
    open_session: OpenSession, scheme: str
) -> None:
    with black_hole() as port:
        live = open_session(f"{scheme}://127.0.0.1:{port}//", audit_file="")
        act = live.session.do(PING)
        live.session.stop(2.0)
        # Its connection was cut under it.
        outcome = act.future.result(10)
    assert verdicts(outcome)[0] == {"w1": "unsent", "w2": "unsent"}


def test_a_session_that_is_read_only_lets_nothing_through_until_it_is_lifted(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(redis_url)
    live = open_session(redis_url, read_only=True, audit_file=str(tmp_path / "a.jsonl"))
    live.until(lambda: "w1@test" in live.state.workers)
    revoke = Revoke(ids=("x-1",), workers=("w1@test",))
    outcome = live.session.do(revoke).future.result(10)
    assert outcome.refusal is not None and "read-only" in outcome.refusal
    live.session.read_only = False
    assert live.session.do(revoke).future.result(10).good
    # One command after the other: had the first been sent, its line would be there as well.
    until(lambda: "x-1" in worker.child.output)
    assert worker.child.output.count("flagged as revoked: x-1") == 1
    phases = [json.loads(line)["phase"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert phases == ["begun", "ended"] * 2
