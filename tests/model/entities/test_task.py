"""A task's traceback is kept in two parts, the first of which equal failures share."""

from __future__ import annotations

from celtop.model.entities.task import Attempt, Task, first_seen_at
from celtop.tests.model.streams import NOW, Script, play
from hypothesis import given
from hypothesis import strategies as st

FRAMES = 'Traceback (most recent call last):\n  File "/srv/a.py", line 4, in f\n    g()\n'


def test_equal_failures_share_their_frames() -> None:
    first, second = Task("a"), Task("b")
    first.traceback = f"{FRAMES}Oops: 1\n"
    second.traceback = f"{FRAMES}Oops: 2\n"
    assert (first.traceback, second.traceback) == (f"{FRAMES}Oops: 1\n", f"{FRAMES}Oops: 2\n")
    assert first.traceback_parts is not None
    assert second.traceback_parts is not None
    assert first.traceback_parts[0] is second.traceback_parts[0]
    second.traceback = None
    assert second.traceback is None


@given(st.lists(st.sampled_from((FRAMES, "  File", "\n", "x", "  "))).map("".join))
def test_a_traceback_is_unchanged(text: str) -> None:
    task = Task("a")
    task.traceback = text
    assert task.traceback == text


def test_a_received_retry_is_not_counted_twice() -> None:
    assert Task("a", state="RETRY", finished_at=5.0).pending_retry == 1
    assert Task("b", state="RETRY", retries=1, received_at=6.0).pending_retry == 1
    assert Task("c", state="RETRY").pending_retry == 1


def test_a_task_was_first_seen_at_its_first_attempt() -> None:
    task = Task("a", received_at=50.0, attempts=(Attempt(0, received_at=10.0),))
    assert first_seen_at(task) == 10.0
    task.sent_at = 9.0
    assert first_seen_at(task) == 9.0
    task.sent_at = 40.0  # a retry was sent
    assert first_seen_at(task) == 10.0
    assert first_seen_at(Task("b", received_at=20.0)) == 20.0


def test_when_the_next_attempt_was_sent_says_nothing_about_the_wait_of_the_last() -> None:
    task = Task("a", state="RETRY", sent_at=5.5, received_at=4.0, started_at=5.0)
    assert not task.is_resent, "the clock of the sender is ahead"
    task.set_extra(sent_retries=1)
    assert task.is_resent and task.waited() is None
    task.retries, task.sent_at, task.finished_at = 1, 3.0, 6.0
    assert not task.is_resent and task.waited() == 2.0


def test_the_message_of_a_retry_is_told_from_the_first_by_its_number() -> None:
    script = Script("a", NOW).sent(retries=0).received().started().sent(retries=1)
    task = play([*script.events]).tasks["a"]
    assert not task.is_resent, "it runs"
    task = play(script.retried(exception="E()").events).tasks["a"]
    assert task.is_resent
