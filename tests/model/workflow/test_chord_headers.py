from __future__ import annotations

from typing import Any

import pytest
from celtop.model.entities.task import Task
from celtop.model.workflow.chord_headers import find_header, may_be_body

T0 = 1_800_000_000.0


def member(number: int, result: str, **fields: Any) -> Task:
    known: dict[str, Any] = {
        "state": "SUCCESS",
        "root_id": f"m{number}",
        "sent_at": T0 + number / 10,
        "finished_at": T0 + 2,
        "result": result,
        **fields,
    }
    return Task(f"m{number}", number, **known)


def body(args: str, parent: str = "m1", **fields: Any) -> Task:
    return Task("b", 99, args=args, parent_id=parent, root_id=parent, sent_at=T0 + 3, **fields)


def test_members_are_found_by_their_results() -> None:
    members = [member(number, str(number)) for number in range(4)]
    others = [member(7, "7"), member(8, "'text'")]
    found = find_header(body("([0, 1, 2, 3],)"), members[1], [*members, *others])
    assert found is not None
    assert (set(found.ids), found.size, found.unknown) == ({"m0", "m1", "m2", "m3"}, 4, 0)


def test_equal_results_are_certain_only_if_no_other_task_has_them() -> None:
    members = [member(number, "None") for number in range(3)]
    args = "([None, None, None], 'x')"
    found = find_header(body(args), members[1], members)
    assert found is not None and found.unknown == 0
    found = find_header(body(args), members[1], [*members, member(5, "None")])
    assert found is not None and (found.ids, found.unknown) == (("m1",), 2)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "STARTED"},
        {"parent_id": "x"},
        {"root_id": "x"},
        {"group_id": "g"},
        {"sent_at": T0 - 60},
        {"sent_at": None},
        {"finished_at": T0 + 9},
    ],
    ids=str,
)
def test_a_task_that_cannot_belong_is_no_member(fields: dict[str, Any]) -> None:
    last = member(1, "1")
    found = find_header(body("([0, 1],)"), last, [last, member(0, "0", **fields)])
    assert found is not None and (found.ids, found.unknown) == (("m1",), 1)


@pytest.mark.parametrize(
    "args",
    ["([0, ...],)", "([1],)", "(1, 2)", "([2, 3],)", "()", "([1, 2", "{'a': 1}", "([1, 1e999],)"],
)
def test_other_arguments_are_not_those_of_a_body(args: str) -> None:
    last = member(1, "1")
    assert find_header(body(args), last, [last]) is None


def test_the_next_step_of_a_chain_has_the_list_that_its_parent_returned() -> None:
    last = member(1, "[1, 2]")
    assert find_header(body("([1, 2],)"), last, [last, member(2, "1")]) is None


def test_what_may_be_a_body_has_a_parent_and_a_list() -> None:
    assert may_be_body(body("([1, 2],)"))
    assert not may_be_body(body("(1,)"))
    assert not may_be_body(Task("a", args="([1, 2],)"))
