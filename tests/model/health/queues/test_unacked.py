"""Findings on unacknowledged messages: of workers that are gone, and redelivered too early."""

from __future__ import annotations

from typing import Any

from celtop.model.health.finding import Finding
from celtop.model.health.queues.unacked import unacked_findings
from celtop.model.observations import (
    ConnectionChanged,
    InspectReply,
    QuestionsAnswered,
    UnackedMessage,
    UnackedRead,
)
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER, Script, play


def on_redis(**conf: Any) -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 100, url="redis://h", transport="redis"))
    state.observe(QuestionsAnswered(("workers",), NOW))
    if conf:
        state.observe(InspectReply(WORKER, "conf", conf, NOW))
    return state


def found(state: ClusterState, at: float = NOW) -> list[Finding]:
    return list(unacked_findings(state, at))


def test_messages_of_a_worker_that_died_before_celtop_started() -> None:
    state = on_redis()
    messages = tuple(
        UnackedMessage(NOW - age, "mail", str(age), "shop.bill") for age in (500, 400, 20)
    )
    state.observe(UnackedRead(messages, 3, NOW))
    (finding,) = found(state)
    assert (finding.code, finding.subject) == ("unacked-by-dead-worker", "queue mail")
    assert finding.text == (
        "3 unacknowledged messages held by a worker that is gone; "
        "the first redelivered in 51 m 40 s by the default visibility timeout"
    )
    assert finding.evidence["tasks"] == ["500", "400", "20"]
    assert finding.evidence["redelivery_at"] == NOW + 3100
    (later,) = found(state, NOW + 3200)
    assert later.text.endswith("; redelivery is due by the default visibility timeout")


def test_messages_of_a_present_worker_are_no_finding() -> None:
    state = on_redis()
    play(Script("a", at=NOW - 30).received().started().events, state)
    state.observe(UnackedRead((UnackedMessage(NOW - 29, "mail", "a"),), 1, NOW))
    assert found(state) == []


def test_the_timeout_is_shorter_than_the_runs_of_a_type_that_acknowledges_late() -> None:
    options = {"broker_transport_options": {"visibility_timeout": 60}}
    state = on_redis(**options)
    play(Script("a").received().started().succeeded(runtime=90.0).events, state)
    assert found(state) == []
    state.types["shop.bill"].acks_late = True
    (finding,) = found(state)
    assert finding.code == "visibility-timeout-short"
    assert finding.text == (
        "messages are redelivered after 1 m, but shop.bill runs for up to 1 m 30 s and "
        "acknowledges late: such tasks run twice"
    )
    assert finding.evidence["assumed"] is False


def test_the_default_timeout_is_shorter_than_an_eta() -> None:
    state = on_redis()
    message = UnackedMessage(NOW - 5, "mail", "a", "shop.bill", eta_at=NOW + 7195)
    state.observe(UnackedRead((message,), 1, NOW))
    (finding,) = found(state)
    assert finding.text == (
        "messages are redelivered after 1 h (the default; the workers' setting is unknown), "
        "but shop.bill was received 2 h before its ETA: such tasks run twice"
    )
    state = on_redis(broker_transport_options={"visibility_timeout": 43_200})
    state.observe(UnackedRead((message,), 1, NOW))
    assert found(state) == []
