from __future__ import annotations

from celtop.model.entities.fact import NEVER_ASKED
from celtop.model.entities.fault import Fault

FAULT = Fault("memory", "out of memory", "Free some")


def test_a_question_that_was_never_asked_has_no_answer() -> None:
    assert not NEVER_ASKED.is_answered and not NEVER_ASKED.is_failed
    assert NEVER_ASKED.age(9) is None
    assert NEVER_ASKED.asked(1).reason == "no reply yet"


def test_an_answer_has_an_age() -> None:
    fact = NEVER_ASKED.asked(1).answered(3)
    assert fact.is_answered and fact.reason == ""
    assert fact.age(10) == 7
    assert fact.age(2) == 0


def test_a_failure_keeps_the_time_of_the_earlier_answer() -> None:
    fact = NEVER_ASKED.answered(3).asked(4).failed(5, FAULT)
    assert fact.is_failed and not fact.is_answered
    assert fact.age(10) == 7
    assert fact.reason == "out of memory"
    assert fact.answered(11).is_answered


def test_a_failure_lasts_until_the_next_attempt_ends() -> None:
    assert NEVER_ASKED.failed(5, FAULT).asked(8).is_failed
