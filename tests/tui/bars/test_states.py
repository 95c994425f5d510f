from __future__ import annotations

import pytest
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import make_app, run_app
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tui.bars.states import StateStrip


def test_a_task_in_a_custom_state_counts_as_started() -> None:
    state = ClusterState()
    for number in range(3):
        feed(state, task_events(number, "t", end=None, uuid=f"id-{number}"))
    feed(state, [Event("task-progress", "celery@web-1", NOW, uuid="id-1", fields={"current": 1})])
    app, _ = make_app(state)
    strip = StateStrip()
    strip.paint(app.context)
    assert "STARTED 3  (PROGRESS 1)" in strip.text


@pytest.mark.parametrize(("width", "left_out"), [(66, "RECEIVED"), (50, "SUCCESS")])
async def test_a_narrow_terminal_keeps_what_waits(width: int, left_out: str) -> None:
    state = ClusterState()
    for number in range(40):
        end = ("failed", "succeeded", None)[number % 3]
        feed(state, task_events(number, "t", end=end, uuid=f"id-{number}"))
    feed(state, [Event("task-sent", "gen1@web", NOW, uuid=f"s{n}", name="t") for n in range(9)])
    feed(state, [Event("task-progress", "celery@web-1", NOW, uuid="id-2", fields={"current": 1})])
    async with run_app(state, size=(width, 24)) as ui:
        line = next(line for line in ui.text.splitlines() if "STARTED" in line)
        assert "PENDING 9" in line and left_out not in line and "PROGRESS" not in line


async def test_a_narrow_terminal_leaves_out_a_state_without_tasks_before_one_with_some() -> None:
    state = ClusterState()
    for number in range(40):
        end = ("failed", "succeeded")[number % 2]
        feed(state, task_events(number, "t", end=end, uuid=f"id-{number}"))
    feed(state, [Event("task-sent", "gen1@web", NOW, uuid=f"s{n}", name="t") for n in range(9)])
    async with run_app(state, size=(66, 24)) as ui:
        line = next(line for line in ui.text.splitlines() if "STARTED" in line)
        assert "PENDING 9" in line and "FAILURE 20" in line and "RETRY" not in line
