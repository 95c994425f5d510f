"""Filters of operations."""

from __future__ import annotations

import pytest
from celtop.model.entities.task import Task
from celtop.model.query.definite import definite, left_out, undecided
from celtop.model.query.language import parse_query

NOW = 1_000_000.0
STORED = Task(id="a", state="SUCCESS", result="1", finished_at=NOW - 5)
"""As the result backend stores it without `result_extended`."""
KNOWN = Task(
    id="b", state="SUCCESS", name="geo.map", worker="w", queue="q", args="(1,)", kwargs="{}",
    sent_at=NOW - 9, received_at=NOW - 8, started_at=NOW - 7, finished_at=NOW - 5, result="1",
    runtime=2.0,
)  # fmt: skip
WAITING = Task(id="c", state="PENDING", name="geo.map", args="()", kwargs="{}")


def matching(text: str) -> set[str]:
    query = definite(parse_query(text))
    return {task.id for task in (STORED, KNOWN, WAITING) if query.matches(task, NOW)}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("!name:billing", "bc"),
        ("-worker:other", "bc"),  # a waiting task has none
        ("!queue:other", "b"),
        ("!invoice", "bc"),
        ("!sent:<1s", "b"),
        ("!runtime:>1h", "bc"),
        ("!started:<1s", "bc"),
        ("!exception:*", "abc"),
        ("!result:2", "abc"),
        ("!finished:>1d", "abc"),
        ("!state:failure", "abc"),
        ("!id:x", "abc"),
        ("state:success !name:billing", "b"),
        ("name:geo", "bc"),
    ],
)
def test_an_unknown_value_decides_nothing(text: str, ids: str) -> None:
    assert matching(text) == set(ids)


def test_a_screen_filter_still_lists_tasks_with_unknown_values() -> None:
    assert parse_query("!name:billing").matches(STORED, NOW)


def test_what_is_left_out_is_named() -> None:
    assert left_out(parse_query("state:success !state:failure !id:x name:geo")) is None
    assert (
        left_out(parse_query("!name:a !worker:b !name:c"))
        == "Tasks whose name or worker is unknown are left out"
    )
    assert (
        left_out(parse_query("!a")) == "Tasks whose name or args or kwargs is unknown are left out"
    )


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("name:geo.*", {"name": 1}),
        ("!name:billing", {"name": 1}),
        ("name:geo.* state:success", {"name": 1}),
        ("name:geo.* state:failure", {}),
        ("worker:w queue:q", {"worker": 1}),  # the waiting task has no worker
        ("invoice", {"name": 1}),
        ("finished:>1d", {}),
        ("started:<1s", {"started": 1}),
    ],
)
def test_tasks_are_undecided_only_if_an_unknown_value_decides(
    text: str, unknown: dict[str, int]
) -> None:
    query = definite(parse_query(text))
    assert undecided(query, (STORED, KNOWN, WAITING), NOW) == unknown
