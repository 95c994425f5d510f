"""States that no task has: what may have been meant."""

from __future__ import annotations

import pytest
from celtop.model.query.language import Problem, parse_query
from celtop.model.query.unknown_states import unknown_states


def found(text: str, *seen: str) -> list[Problem]:
    return list(unknown_states(parse_query(text), seen))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("state:fail", "no task is in state fail; did you mean FAILURE or failed?"),
        ("state:FAILRUE", "no task is in state FAILRUE; did you mean FAILURE?"),
        ("!state:uplo", "no task is in state uplo; did you mean UPLOADING?"),
    ],
)
def test_a_state_that_may_have_been_meant_is_named(text: str, message: str) -> None:
    (problem,) = found(text, "UPLOADING")
    assert problem.message == message


def test_without_a_similar_state_all_are_listed() -> None:
    (problem,) = found("worker:w1 state:success,xyzzy", "UPLOADING")
    assert (problem.start, problem.end) == (10, 29)
    assert problem.message.startswith("no task is in state xyzzy; states: PENDING, RECEIVED")
    assert problem.message.endswith("UPLOADING")


def test_known_states_are_no_problem() -> None:
    assert not found("state:failure,Lost,=running,uploading name:fail", "UPLOADING")
