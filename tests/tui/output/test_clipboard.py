from __future__ import annotations

import json
import shlex
from typing import Any

from celtop.model.entities.task import Task
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.output.clipboard import Copy, call_line, copies, only


def test_a_call_line_can_be_pasted_into_a_shell() -> None:
    task = Task("1", name="a.b", args="(1, 'two words')", kwargs="{'x': [1.5, None]}", queue="q")
    assert shlex.split(call_line(task)) == [
        "celery", "call", "a.b", '--args=[1,"two words"]', '--kwargs={"x":[1.5,null]}', "--queue=q",
    ]  # fmt: skip


def test_arguments_that_cannot_be_read_back_stand_as_they_are() -> None:
    task = Task("1", name="a.b", args="(<Order 7>, '; rm -rf /')")
    words = shlex.split(call_line(task))
    assert words == ["celery", "call", "a.b", "--args=(<Order 7>, '; rm -rf /')"]


def test_only_what_a_task_has_can_be_copied() -> None:
    state = cluster(0)
    task = next(iter(state.tasks.values()))
    names = [each.name for each in copies(task, state, NOW)]
    assert names == ["id", "name", "args", "kwargs", "celery call", "JSON"]


def test_json_follows_the_snapshot_contract() -> None:
    state = cluster(0)
    for rows in (state.tasks, state.workers, state.queues):
        row: Any = next(iter(rows.values()))
        text = {each.name: each.text for each in copies(row, state, NOW)}["JSON"]
        told = json.loads(text)
        assert told.get("id", told.get("name")) == row.id
        assert "heartbeat_age_s" in told or "drain_s" in told or "waited_s" in told


def test_a_part_of_the_model_leaves_the_whole_as_it_was() -> None:
    state = cluster(10)
    held = len(state.tasks)
    first = next(iter(state.tasks.values()))
    part = only(state, (first,))
    assert list(part.tasks) == [first.id]
    assert len(state.tasks) == held and len(part.workers) == 3


def test_a_preview_is_one_line() -> None:
    assert Copy("traceback", 'Traceback:\n  File "a.py", line 1').preview == (
        'Traceback: File "a.py", line 1'
    )
