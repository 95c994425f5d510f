"""The age of what is known about the queues."""

from __future__ import annotations

from celtop.model.entities.messages.delayed import Delayed, DelayLevel
from celtop.model.entities.queue import Queue
from celtop.model.observations import (
    DelayedMeasured,
    InspectReply,
    QuestionsAnswered,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER
from celtop.tui.text.queues import common_note, consumers_age, delayed_text, depths_age


def test_the_age_of_depths_is_shown_if_they_are_older_than_promised() -> None:
    state = ClusterState()
    assert depths_age(state, 5.0, NOW) == ""
    state.observe(QueueMeasured("mail", NOW, 3))
    assert depths_age(state, 5.0, NOW + 6) == ""
    state.observe(QueueMeasured("geo", NOW + 20, 3))
    assert depths_age(state, 5.0, NOW + 23) == "measured 23 s ago"


def test_the_age_of_consumers_is_shown_after_twenty_seconds() -> None:
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "mail"}], NOW))
    state.take_changes()
    assert consumers_age(state, NOW + 19) == ""
    assert consumers_age(state, NOW + 61) == "consumers checked 1 m 1 s ago"


def test_a_note_that_all_queues_share_is_shown_once() -> None:
    same = [Queue(name, notes=("rates unknown",)) for name in "ab"]
    assert common_note(same) == "rates unknown"
    assert common_note([*same, Queue("c")]) == common_note([]) == ""


def test_messages_that_wait_for_their_time_are_one_line() -> None:
    state = ClusterState()
    assert delayed_text(state.delayed, NOW) == ""
    levels = (DelayLevel(4, 1), DelayLevel(6, 2))
    state.observe(DelayedMeasured(Delayed(levels, NOW), NOW))
    assert delayed_text(state.delayed, NOW) == (
        "3 waiting for their time: 1 within 31 s, 2 within 2 m 7 s"
    )
