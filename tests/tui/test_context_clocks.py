"""Workers whose clocks are off: 40 s ahead, 40 s behind, and right; the screen is by ours."""

from __future__ import annotations

import pytest
from celtop.lists import tasks
from celtop.lists.progress import progress_texts
from celtop.model.entities.task import Task
from celtop.model.ingest.tasks.progress_rate import MIN_SAMPLES
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.model.workflow.view import WorkflowView
from celtop.tui.columns.workflow import workflow_columns
from celtop.tui.context import AppContext
from celtop.tui.details.task import task_fields
from celtop.tui.navigation import DrillDown
from celtop.widgets.charts.timeline import timed_attempts
from celtop.widgets.table.column import Frame
from msgspec.structs import replace

from .app_under_test import Clock, make_app, screen_lines
from .fake_session import NOW, task_events

ROOT = "00000000-0000-4000-8000-000000000000"
HOSTS = {"w1@fast": 40.0, "w2@slow": -40.0, "w3@right": 0.0}


def tell(state: ClusterState, events: list[Event], skew: float) -> None:
    """Have events come at their time, with the time that their sender's clock shows."""
    for event in events:
        of_worker = event.type != "task-sent"
        heard = replace(event, timestamp=event.timestamp + skew) if of_worker else event
        state.observe(EventBatch((heard,), event.timestamp))


def told(host: str, **life: object) -> tuple[ClusterState, Task]:
    """Return what is known after a worker told its time, and of one task."""
    state = ClusterState()
    beat = Event("worker-heartbeat", host, NOW - 90, active=0, processed=0, freq=2.0)
    tell(state, [beat], HOSTS[host])
    tell(state, task_events(1, "shop.f", worker=host, **life), HOSTS[host])  # type: ignore[arg-type]
    (task,) = state.tasks.values()
    return state, task


def frame_of(state: ClusterState) -> Frame:
    return Frame(NOW, utc=True, skews=state.skews)


@pytest.mark.parametrize("host", HOSTS)
def test_the_list_shows_a_running_task_by_our_clock(host: str) -> None:
    state, task = told(host, at=NOW - 20.1, end=None)
    cells = {column.id: column.cell(task, frame_of(state)) for column in tasks.TASKS}
    assert cells["runtime"][0] == "20 s"
    assert cells["received"][0] == "07:59:39"


@pytest.mark.parametrize("host", HOSTS)
def test_a_task_held_for_its_time_is_due_by_its_workers_clock(host: str) -> None:
    state, task = told(host, at=NOW - 20, end="received", eta="2027-01-15T08:01:00+00:00")
    cell = tasks.SCHEDULED[0].cell(task, frame_of(state))
    assert cell[0] == {40.0: "in 20 s", -40.0: "in 1 m 40 s", 0.0: "in 1 m"}[HOSTS[host]]


@pytest.mark.parametrize("host", HOSTS)
def test_fields_are_by_our_clock_and_say_so(host: str) -> None:
    state, task = told(host, at=NOW - 20.1, runtime=5.0)
    fields = {field.label: field.value for field in task_fields(task, frame_of(state))}
    assert fields["Received"] == "2027-01-15 07:59:39.900  20 s ago"
    assert fields["Started"] == "2027-01-15 07:59:40.000  20 s ago"
    assert fields["Finished"] == "2027-01-15 07:59:45.000  15 s ago"
    way = {40.0: "ahead", -40.0: "behind"}.get(HOSTS[host])
    assert fields.get("Clock") == (way and f"times corrected: the clock of {host} is 40 s {way}")


@pytest.mark.parametrize("host", HOSTS)
def test_phases_are_by_our_clock(host: str) -> None:
    state, task = told(host, at=NOW - 20, end=None)
    (only,) = timed_attempts(task, NOW, state.skews)
    assert [phase.kind for phase in only.phases] == ["queue", "worker", "run"]
    assert [phase.seconds for phase in only.phases] == pytest.approx([0.2, 0.1, 19.9], abs=1e-5)


def test_members_are_drawn_one_after_another_on_one_axis() -> None:
    state = ClusterState()
    for number, (host, skew) in enumerate(HOSTS.items()):
        beat = Event("worker-heartbeat", host, NOW - 90, active=0, processed=0, freq=2.0)
        tell(state, [beat], skew)
        at = NOW - 30 + 10 * number
        tell(state, task_events(number, "f", worker=host, at=at, runtime=9.5, root_id=ROOT), skew)
    view = WorkflowView(state, next(iter(state.tasks)), NOW)
    (column,) = (one for one in workflow_columns(view) if one.id == "time")
    assert column.fill is not None
    for location, row in enumerate(view):
        cells = column.fill(row, frame_of(state), 30)
        drawn = "".join(text for text, _ in cells)
        first = len(drawn) - len(drawn.lstrip())
        assert abs(first - 10 * location) <= 1
        assert abs(len(drawn.strip()) - 10) <= 1


@pytest.mark.parametrize("host", HOSTS)
async def test_an_estimate_and_the_task_page_are_by_our_clock(host: str) -> None:
    state, task = told(host, at=NOW - 20.1, end=None)
    for number in range(2, MIN_SAMPLES + 2):
        life = task_events(number, "shop.f", worker=host, at=NOW - 80, runtime=40.0)
        tell(state, life, HOSTS[host])
    app, _ = make_app(state)
    async with app.run_test(size=(140, 40)) as pilot:
        context: AppContext = app.context
        assert progress_texts(task, context, NOW)[0] == "~20 s left"
        app.go(app.location.deeper(DrillDown("task", task.id)))
        await pilot.pause()
        text = "\n".join(screen_lines(app))
    assert "20 s ago" in text
    assert ("is 40 s" in text) == bool(HOSTS[host])


async def test_rows_are_drawn_again_when_a_clock_is_known() -> None:
    state, clock = ClusterState(), Clock()
    tell(state, task_events(1, "shop.f", worker="w1@fast", at=NOW - 60.1), 40.0)
    app, session = make_app(state, clock)
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        assert "07:59:40" in "\n".join(screen_lines(app))
        beat = Event("worker-heartbeat", "w1@fast", NOW + 40, active=0, processed=0, freq=2.0)
        session.waiting.append(EventBatch((beat,), NOW))
        clock.now += 1
        for _ in range(100):
            await pilot.pause(0.02)
            if "07:59:00" in "\n".join(screen_lines(app)):
                break
        else:
            pytest.fail("the row still has the time by its worker's clock")
