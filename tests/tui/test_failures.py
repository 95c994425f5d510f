from __future__ import annotations

from celtop.model.task import Task
from celtop.tui.failures import LOOKED_AT, exception_class, group_failures


def failed(number: int, exception: str | None, at: float, name: str = "a.b") -> Task:
    return Task(str(number), name=name, state="FAILURE", exception=exception, finished_at=at)


def test_the_same_failure_is_one_line_with_its_count_and_last_time() -> None:
    tasks = [failed(1, "Timeout('a')", 90.0), failed(2, "Timeout('b')", 95.0)]
    (group,) = group_failures(tasks, 100.0)
    assert (group.exception, group.task, group.count, group.last_at) == ("Timeout", "a.b", 2, 95.0)


def test_the_largest_group_is_first() -> None:
    tasks = [failed(1, "A()", 1.0), failed(2, "B()", 1.0), failed(3, "B()", 1.0)]
    assert [group.exception for group in group_failures(tasks, 2.0)] == ["B", "A"]


def test_after_an_hour_a_failure_is_history() -> None:
    assert group_failures([failed(1, "A()", 0.0)], 3601.0) == []


def test_a_flood_of_failures_costs_a_bounded_time() -> None:
    tasks = (failed(number, "A()", 1.0) for number in range(LOOKED_AT * 2))
    (group,) = group_failures(tasks, 2.0)
    assert group.count == LOOKED_AT
    assert next(tasks).id == str(LOOKED_AT)


def test_an_exception_without_a_class_is_unknown() -> None:
    assert exception_class(None) == "?"
    assert exception_class("") == "?"
    assert exception_class("requests.Timeout('x')") == "requests.Timeout"
