"""Nothing is said about the cluster before it has answered."""

from __future__ import annotations

from celtop.model.entities.fault import Fault
from celtop.model.observations import (
    ConnectionChanged,
    QuestionsAnswered,
    QuestionsAsked,
    QuestionsFailed,
)
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.text.unknown import not_known_yet


def connected() -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 1))
    return state


def test_nothing_is_known_before_the_first_connection() -> None:
    assert not_known_yet(ClusterState()) == "not connected"


def test_nothing_is_known_before_the_first_answer() -> None:
    state = connected()
    state.observe(QuestionsAsked("cluster", ("workers", "queues"), NOW))
    assert not_known_yet(state) == "no reply yet"
    state.observe(QuestionsAnswered(("workers",), NOW))
    assert not_known_yet(state) == ""
    assert not_known_yet(state, "queues") == "no reply yet"


def test_the_reason_is_why_the_question_failed() -> None:
    state = connected()
    fault = Fault("denied", "access denied", "")
    state.observe(QuestionsFailed("cluster", ("workers",), NOW, fault))
    assert not_known_yet(state) == "access denied"


def test_a_replay_needs_no_connection() -> None:
    state = ClusterState()
    feed(state, task_events(1, "a.b"))
    assert not_known_yet(state) == ""


async def test_the_screen_shows_unknown_before_the_first_answer() -> None:
    async with run_app(ClusterState()) as on:
        assert "? tasks" in on.text and "?/? workers" in on.text
        assert "0 tasks" not in on.text and "no running tasks" not in on.text
        assert "unknown: not connected" in on.text
        await on.press("2")
        assert "Unknown: not connected" in on.text


async def test_the_header_shows_the_age_of_what_is_known_while_disconnected() -> None:
    state = cluster(20)
    state.observe(ConnectionChanged("lost", NOW - 14, Fault("gone", "closed", "wait")))
    state.observe(ConnectionChanged("connecting", NOW, Fault("gone", "closed", "wait")))
    async with run_app(state, size=(160, 30)) as on:
        header = on.text.splitlines()[0]
        assert "data " in header and " old" in header
        assert "?/3 workers" in header
