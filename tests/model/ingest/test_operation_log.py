"""The changes of operations to the model: log, revoking tasks, tasks sent, limits."""

from __future__ import annotations

import pytest
from celtop.model.entities.fault import Fault
from celtop.model.entities.states import FROM_EVENT, FROM_SENDING, source_names
from celtop.model.entities.worker import Limits
from celtop.model.ingest.operation_log import MAX_OPERATIONS
from celtop.model.observations import (
    OperationChanged,
    QueuePeeked,
    WaitingMessage,
)
from celtop.model.operations.call import Call, RawMessage, SentTask
from celtop.model.operations.commands import (
    Drain,
    Ping,
    RateLimit,
    Retry,
    Revoke,
    TimeLimit,
    Trigger,
)
from celtop.model.operations.outcome import Answer, Outcome, PublishedTask
from celtop.model.operations.summary import sentence
from celtop.model.query.language import parse_query
from celtop.model.state import ClusterState
from hypothesis import given
from hypothesis import strategies as st

from ..operation_cases import CONFIRMED, SILENT, cluster, done, observe_outcome, reply, task
from ..streams import NOW, Fields, Script, play

ALL = ("p@h",)


def revoke(state: ClusterState, *ids: str, terminate: bool = False) -> None:
    answers = dict.fromkeys(ids, CONFIRMED)
    observe_outcome(
        state, done(Revoke(ids, ALL, terminate), targets=answers, workers={"p@h": CONFIRMED})
    )


def test_an_operation_is_logged_at_its_beginning_and_end() -> None:
    state = ClusterState()
    command = Revoke(("a",), ALL)
    observe_outcome(state, Outcome(7, command, NOW))
    observe_outcome(state, Outcome(7, command, NOW, workers={"p@h": CONFIRMED}))
    observe_outcome(state, Outcome(7, command, NOW, NOW + 1, workers={"p@h": SILENT}), NOW + 1)
    assert [(one.at, one.level, one.source, one.text) for one in state.log] == [
        (NOW, "info", "operation", "Revoking 1 task: 0 of 1 worker replied"),
        (
            NOW + 1,
            "warning",
            "operation",
            "Revoke 1 task: result unknown; 0 of 1 worker confirmed, p@h did not reply",
        ),
    ]
    assert state.operations[7].ended


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (done(Ping(ALL), workers={"p@h": CONFIRMED}), "info"),
        (done(Ping(ALL), workers={"p@h": SILENT}), "warning"),
        (done(Ping(ALL), refusal="read-only"), "warning"),
        (done(Ping(ALL), workers={"p@h": Answer("unsure")}), "error"),
        (done(Ping(ALL), fault=Fault("refused", "Connection refused", "")), "error"),
        (done(Ping(ALL), workers={"p@h": CONFIRMED}, unlogged="disk full"), "warning"),
    ],
)
def test_how_grave_an_end_is(outcome: Outcome, level: str) -> None:
    state = ClusterState()
    observe_outcome(state, outcome)
    assert [entry.level for entry in state.log] == [level]


def test_operations_are_bounded_and_running_ones_stay() -> None:
    state = ClusterState()
    observe_outcome(state, Outcome(1, Ping(ALL), NOW))
    for number in range(2, MAX_OPERATIONS + 50):
        observe_outcome(state, Outcome(number, Ping(ALL), NOW, NOW))
    assert len(state.operations) == MAX_OPERATIONS
    assert 1 in state.operations and 2 not in state.operations


def test_a_worker_is_draining_until_its_drain_has_a_verdict_on_it() -> None:
    state = cluster()
    drain = Drain(("p@h", "t@h", "unknown@h"))

    def draining() -> list[str]:
        listening = state.broker.listening(NOW)
        return [one.name for one in state.workers.values() if one.health(listening) == "draining"]

    observe_outcome(state, Outcome(1, drain, NOW))
    assert draining() == ["p@h", "t@h"]
    observe_outcome(state, Outcome(1, drain, NOW, workers={"p@h": Answer("restored")}))
    assert draining() == ["t@h"]
    state.workers["t@h"].left_at = NOW
    assert not draining()
    state.workers["t@h"].left_at = None
    observe_outcome(state, Outcome(2, drain, NOW, NOW, refusal="read-only"))
    assert draining() == ["t@h"], "by the first drain"
    observe_outcome(state, done(drain, workers={"p@h": Answer("restored")}))
    assert not draining()


def test_an_end_is_not_undone_by_news_from_before() -> None:
    state = ClusterState()
    observe_outcome(state, Outcome(1, Ping(ALL), NOW, NOW + 1, workers={"p@h": CONFIRMED}))
    observe_outcome(state, Outcome(1, Ping(ALL), NOW))
    assert state.operations[1].ended
    assert len(state.log) == 1


def test_a_revocation_shows_until_its_event() -> None:
    state = cluster()
    script = Script("w", worker="p@h").received()
    play(script.events, state)
    state.take_changes()
    revoke(state, "w", "unknown")
    held = state.tasks["w"]
    assert held.revoking and held.state == "RECEIVED"
    assert "w" in state.take_changes().tasks
    assert "unknown" not in state.tasks
    assert parse_query("state:revoking").matches(held, NOW)
    play(Script("w", at=script.at, worker="p@h").revoked().events, state)
    assert (held.state, held.revoking) == ("REVOKED", False)
    assert not parse_query("state:revoking").matches(held, NOW)


def test_only_what_is_confirmed_shows_as_revoking() -> None:
    state = cluster()
    task(state, "w")
    for verdict in ("silent", "refused", "unsure", "unsent"):
        observe_outcome(state, done(Revoke(("w",), ALL), targets={"w": Answer(verdict)}))
        assert not state.tasks["w"].revoking


def test_revoking_does_not_affect_running_tasks_but_terminating_does() -> None:
    state = cluster()
    task(state, "runs", until="started")
    revoke(state, "runs")
    assert not state.tasks["runs"].revoking
    observe_outcome(
        state, Outcome(2, Revoke(("runs",), ALL, True), NOW, targets={"runs": CONFIRMED})
    )
    assert state.tasks["runs"].revoking
    play(Script("runs", worker="p@h").revoked(terminated=True, signum=15).events, state)
    assert not state.tasks["runs"].revoking


def test_a_task_that_started_meanwhile_is_no_longer_revoking() -> None:
    state = cluster()
    script = Script("w", worker="p@h").received()
    play(script.events, state)
    revoke(state, "w")
    later = Script("w", at=script.at, worker="p@h").started()
    play(later.events, state)
    assert not state.tasks["w"].revoking
    play(Script("w", at=later.at, worker="p@h").retried().events, state)
    assert state.tasks["w"].revoking


def test_ten_thousand_revoked_tasks_share_their_extras() -> None:
    state = cluster()
    messages = tuple(
        WaitingMessage(f"id-{n}", "geo.resize", "geo", priority=0) for n in range(10_000)
    )
    state.observe(QueuePeeked("geo", messages, NOW, True))
    revoke(state, *(message.id for message in messages))
    assert all(held.revoking for held in state.tasks.values())
    assert len({id(held.extra) for held in state.tasks.values()}) == 1


def test_a_task_that_was_sent_is_there_at_once_and_linked() -> None:
    state = cluster()
    task(state, "old", until="failed")
    sent = PublishedTask("new", "geo.resize", "geo", NOW, "old", "(1,)", "{}", NOW + 9, NOW + 99)
    command = Retry(())
    observe_outcome(state, Outcome(1, command, NOW, targets={"old": CONFIRMED}, sent=(sent,)))
    new = state.tasks["new"]
    assert (new.state, new.name, new.queue, new.args) == ("PENDING", "geo.resize", "geo", "(1,)")
    assert (new.sent_at, new.eta_at, new.expires_at) == (NOW, NOW + 9, NOW + 99)
    assert source_names(new.sources) == ("sending",)
    old = state.tasks["old"]
    assert new.extra is not None and old.extra is not None
    assert (new.extra.retry_of, old.extra.retried_as) == ("old", "new")
    version = new.version
    observe_outcome(state, Outcome(1, command, NOW, NOW, targets={"old": CONFIRMED}, sent=(sent,)))
    assert new.version == version
    assert state.totals.by_state["PENDING"] == 1


def test_operations_are_kept_without_arguments() -> None:
    state = ClusterState()
    calls = (Call("x", ("s3cr3t",), {"a": "s3cr3t"}, queue="geo", headers={"h": "s3cr3t"}),)
    message = RawMessage(b"s3cr3t", "application/json", "utf-8", {})
    originals = (SentTask("a", calls[0], "queue", NOW, message),)
    observe_outcome(state, Outcome(1, Trigger(calls), NOW))
    observe_outcome(state, Outcome(2, Retry(originals), NOW))
    observe_outcome(state, Outcome(2, Retry(originals), NOW, NOW + 1))
    assert "s3cr3t" not in repr(state.operations)
    assert sentence(state.operations[2]) == "Retried 1 task"


def test_a_retry_of_a_task_that_is_not_held_creates_no_other() -> None:
    state = ClusterState()
    sent = PublishedTask("new", "geo.resize", "geo", NOW, "gone")
    observe_outcome(state, done(Retry(()), sent=(sent,)))
    assert list(state.tasks) == ["new"]


SENT = OperationChanged(
    done(Trigger(()), sent=(PublishedTask("a", "shop.bill", "celery", NOW),)), NOW
)
PEEKED = QueuePeeked(
    "celery", (WaitingMessage("a", "shop.bill", "celery", "(1,)", "{}"),), NOW, True
)
LIFE = Script("a").received().started().succeeded().events


@given(st.lists(st.sampled_from([SENT, PEEKED]), max_size=6), st.data())
def test_neither_sending_nor_looking_moves_a_task_backwards(
    looks: list[OperationChanged | QueuePeeked], data: st.DataObject
) -> None:
    state = ClusterState()
    places = [data.draw(st.integers(0, len(LIFE))) for _ in looks]
    order = {"PENDING": 0, "RECEIVED": 1, "STARTED": 2, "SUCCESS": 3}
    reached = 0
    steps: list[Fields | None] = [*LIFE, None]
    for step, fields in enumerate(steps):
        for place, look in zip(places, looks, strict=True):
            if place == step:
                state.observe(look)
                assert order[state.tasks["a"].state] == reached
        if fields is not None:
            play([fields], state)
            reached = order[state.tasks["a"].state]
            assert reached == step + 1
    assert list(state.tasks) == ["a"]
    held = state.tasks["a"]
    plain = play(LIFE).tasks["a"]
    assert (held.state, held.started_at, held.finished_at, held.attempts) == (
        plain.state,
        plain.started_at,
        plain.finished_at,
        (),
    )
    assert held.args == plain.args or PEEKED in looks
    assert state.types["shop.bill"].states == {"SUCCESS": 1}
    assert state.totals.by_state == {"SUCCESS": 1}
    assert held.sources & FROM_EVENT and bool(held.sources & FROM_SENDING) == (SENT in looks)


def test_confirmed_limits_are_applied_and_initial_ones_are_kept() -> None:
    state = cluster()
    worker = state.workers["p@h"]
    first = {"geo.resize": Limits("10/m", None, 60.0)}
    assert worker.limits == first
    observe_outcome(state, done(RateLimit(ALL, "geo.resize", "5/s"), workers={"p@h": CONFIRMED}))
    assert worker.limits["geo.resize"] == Limits("5/s", None, 60.0)
    command = TimeLimit(ALL, "mail.send", 1.0, 2.0)
    observe_outcome(state, Outcome(2, command, NOW, NOW, workers={"p@h": CONFIRMED, "t@h": SILENT}))
    assert worker.limits["mail.send"] == Limits(None, 1.0, 2.0)
    assert "mail.send" not in state.workers["t@h"].limits
    observe_outcome(
        state, Outcome(3, RateLimit(ALL, "geo.resize", "0"), NOW, workers={"p@h": CONFIRMED})
    )
    assert worker.limits["geo.resize"] == Limits(None, None, 60.0)
    reply(state, "p@h", "registered", ["geo.resize [rate_limit=5/s]", "mail.send"])
    assert worker.limits == {"geo.resize": Limits("5/s")}
    assert worker.initial_limits == first
