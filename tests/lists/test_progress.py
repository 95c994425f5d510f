"""How far tasks are, and how often they were tried: in lists, on the overview, on their pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from celtop.lists.attempts import next_attempt, retry_count
from celtop.lists.progress import progress_texts, text_cell
from celtop.model.entities.registered_task import RegisteredTask
from celtop.model.entities.result import ResultMeta
from celtop.model.lookup import PlaceChecked, Sighting, TaskLookup
from celtop.model.observations import InspectReply, ResultsRead
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.settings import Settings
from celtop.tests.tui.app_under_test import AppUnderTest, Clock, make_app, screen_lines
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.navigation import DrillDown, Location
from celtop.widgets.table.column import Frame

SIZES = [(120, 36), (80, 24)]


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def backend(state: ClusterState, number: int, at: float, **result: Any) -> None:
    meta = ResultMeta(uuid(number), "PROGRESS", result)
    state.observe(ResultsRead((meta,), at, "push"))


def climbing() -> ClusterState:
    """Return a shop where 1 reports its progress, 2 is estimated, 3 reports a text, 4 nothing.

    5 was tried twice and waits for its third attempt.
    """
    state = cluster(0)
    for number in (1, 2, 3, 4):
        name = {2: "images.resize", 4: "mute.task"}.get(number, "geo.render")
        feed(state, task_events(number, name, at=NOW - 20, end=None))
    for number in range(100, 110):
        feed(state, task_events(number, "images.resize", at=NOW - 300, runtime=40.0))
    for step in range(5):
        at = NOW - 10 + 2 * step
        backend(state, 1, at, current=10 * step, total=80, status=f"band {step}")
    backend(state, 3, NOW - 1, status="warming up")
    _tried(state)
    for worker in ("celery@web-1", "celery@geo-1"):
        feed(state, [Event("worker-heartbeat", worker, NOW, freq=3600.0)])
    return state


def _tried(state: ClusterState) -> None:
    common: dict[str, Any] = {"hostname": "celery@web-1", "uuid": uuid(5)}
    eta = "2027-01-15T08:00:30+00:00"
    feed(state, [
        Event("task-received", timestamp=NOW - 60, name="billing.charge", retries=0, **common),
        Event("task-started", timestamp=NOW - 59, **common),
        Event("task-retried", timestamp=NOW - 56, exception="Timeout('bank')",
              traceback="Traceback: first", **common),
        Event("task-received", timestamp=NOW - 40, name="billing.charge", retries=1, **common),
        Event("task-started", timestamp=NOW - 39, hostname="celery@geo-1", uuid=uuid(5)),
        Event("task-retried", timestamp=NOW - 34, exception="Refused('bank')",
              hostname="celery@geo-1", uuid=uuid(5)),
        Event("task-received", timestamp=NOW - 33.9, name="billing.charge", retries=2, eta=eta,
              **common),
    ])  # fmt: skip


@asynccontextmanager
async def opened(
    location: Location, size: tuple[int, int] = (120, 36), unknown: str | None = None
) -> AsyncIterator[AppUnderTest]:
    clock = Clock()
    app, session = make_app(climbing(), clock)
    session.progress_unavailable = unknown
    app.context.settings._registered["billing.charge"] = RegisteredTask(
        "billing.charge", max_retries=3
    )
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        on = AppUnderTest(app, session, pilot)
        app.go(location)
        await on.until(lambda: app.monitor_screen is not None and app.monitor_screen.ready)
        await pilot.pause(0.1)
        app.frame_loop.paint()
        await pilot.pause()
        yield on


def line_of(on: AppUnderTest, text: str) -> str:
    return next(line for line in screen_lines(on.app) if text in line)


async def test_the_list_has_bars_estimates_and_what_tasks_say() -> None:
    async with opened(Location("tasks"), (210, 36)) as on:
        told, guessed = line_of(on, uuid(1)[:8]), line_of(on, uuid(2)[:8])
        assert "████" in told and " 50 %" in told
        assert "~6.0 s" in told
        assert "▒" in guessed and "█" not in guessed
        assert "~49 %" in guessed and "~20 s" in guessed
        assert "warming up" in line_of(on, uuid(3)[:8])
        silent = line_of(on, uuid(4)[:8])
        assert not any(sign in silent for sign in "█▒%")
        tried = line_of(on, uuid(5)[:8])
        assert "2 of 3" in tried and "in 30 s" in tried


async def test_unknown_progress_is_shown_as_unknown() -> None:
    why = "the results of rpc:// reach nobody but the caller"
    async with opened(Location("tasks"), (200, 36), why) as on:
        assert line_of(on, uuid(4)[:8]).rstrip(" │").endswith("?")
        on.app.go(Location("tasks", (DrillDown("task", uuid(4)),)))
        await on.until(lambda: why in on.text)


async def test_the_overview_shows_the_same() -> None:
    async with opened(Location("overview")) as on:
        lines = [line for line in screen_lines(on.app) if "geo.render" in line]
        assert any("50 %" in line for line in lines)
        assert "▒" in line_of(on, "images.resize")
        assert "~49 %" in line_of(on, "images.resize")


@pytest.mark.parametrize("size", SIZES)
async def test_the_page_has_a_large_bar_with_pace_and_time_left(size: tuple[int, int]) -> None:
    async with opened(Location("tasks", (DrillDown("task", uuid(1)),)), size) as on:
        await on.until(lambda: "50 %" in on.text)
        bar = line_of(on, "50 %")
        assert bar.count("█") >= (size[0] - 12) // 2 - 1
        said = line_of(on, "band 4")
        assert "40 of 80" in said and "~6.0 s left" in said and "5/s" in said
        assert "from the result backend, 2.0 s ago" in on.text
        on.session.results = {}
        end = Event("task-succeeded", "celery@web-1", NOW, uuid=uuid(1), result="1", runtime=1.0)
        feed(on.session.state, [end])
        on.app.frame_loop.paint()
        await on.until(lambda: "50 %" not in on.text)


async def test_the_page_marks_an_estimate_and_what_takes_long() -> None:
    async with opened(Location("tasks", (DrillDown("task", uuid(2)),))) as on:
        await on.until(lambda: "~49 %" in on.text)
        assert "▒" in line_of(on, "~49 %")
        assert "estimated from earlier runs" in on.text
        on.app.context.clock.now = NOW + 3000  # type: ignore[attr-defined]
        on.app.frame_loop.paint()
        await on.until(lambda: "usually 40 s" in on.text)
        assert "~95 %" in on.text


@pytest.mark.parametrize(("running", "style"), [(45.0, "muted"), (90.0, "warn")])
async def test_only_a_task_that_runs_much_longer_than_usual_is_marked(
    running: float, style: str
) -> None:
    async with opened(Location("overview")) as on:
        context = on.app.context
        task = context.state.tasks[uuid(2)]
        assert task.started_at is not None
        frame = Frame(task.started_at + running)
        assert text_cell(context)(task, frame) == [("usually 40 s", style)]


@pytest.mark.parametrize("size", SIZES)
async def test_every_attempt_has_worker_duration_and_exception(size: tuple[int, int]) -> None:
    async with opened(Location("tasks", (DrillDown("task", uuid(5)),)), size) as on:
        table = on.app.screen.query_one("#attempts-table")
        on.app.screen.set_focus(table)
        await on.press("f")
        await on.until(lambda: "Refused('bank')" in on.text)
        first, second = line_of(on, "Timeout('bank')"), line_of(on, "Refused('bank')")
        assert "celery@web-1" in first and "3.0 s" in first and "RETRY" in first
        assert "celery@geo-1" in second and "5.0 s" in second
        await on.press("g", "enter")
        await on.until(lambda: "Traceback: first" in on.text)


async def test_the_next_attempt_counts_down_on_the_page() -> None:
    async with opened(Location("tasks", (DrillDown("task", uuid(5)),)), (160, 48)) as on:
        assert "in 30 s" in line_of(on, "Next attempt")
        assert "2 of 3" in line_of(on, "Retries")
        on.app.context.clock.now = NOW + 12  # type: ignore[attr-defined]
        on.app.frame_loop.paint()
        await on.until(lambda: "in 18 s" in line_of(on, "Next attempt"))


async def test_what_is_on_the_screen_is_watched() -> None:
    async with opened(Location("tasks")) as on:
        on.app.frame_loop.watch_screen()
        assert {uuid(number) for number in (1, 2, 3, 4, 5)} <= set(on.session.watched)
        assert uuid(100) not in on.session.watched, "it has ended"

        def watched() -> tuple[str, ...]:
            on.app.frame_loop.watch_screen()  # as each second
            return tuple(on.session.watched)

        on.app.go(Location("tasks", (DrillDown("task", "never-heard-of"),)))
        await on.until(lambda: watched()[:1] == ("never-heard-of",))
        on.app.go(Location("tasks", (DrillDown("task", uuid(100)),)))
        await on.until(lambda: watched() == ())


def test_attempts_in_words() -> None:
    state = climbing()
    task = state.tasks[uuid(5)]
    assert retry_count(task, 3) == "2 of 3"
    assert retry_count(task, None) == retry_count(task, 0) == retry_count(task, 1) == "2"
    assert next_attempt(task, NOW) == "in 30 s"
    assert next_attempt(task, NOW + 33) == "3.0 s late"
    assert next_attempt(state.tasks[uuid(1)], NOW) is None


def test_an_app_has_how_often_its_tasks_may_be_tried() -> None:
    from celtop.settings import load_settings

    tasks = (RegisteredTask("a", max_retries=5), RegisteredTask("b"))
    settings = load_settings({"app": "x"}, {}, "/dev/null", lambda app, workdir: {"tasks": tasks})
    assert settings.max_retries_of("a") == 5
    assert settings.max_retries_of("b") is settings.max_retries_of(None) is None
    assert Settings().max_retries_of("a") is None


class TestSearching:
    async def test_an_unknown_task_is_looked_for_and_opened(self) -> None:
        async with opened(Location("tasks")) as on:
            await on.press(":", *"task fresh-one", "enter")
            await on.until(lambda: on.session.looked_up == ["fresh-one"])
            item = {"id": "fresh-one", "name": "late.task", "args": [1], "time_start": NOW - 3}
            reply = {"fresh-one": ["active", item]}
            answer = InspectReply("celery@web-1", "query_task", reply, NOW)
            on.session.waiting.append(answer)
            on.session.lookup.set_result(
                TaskLookup("fresh-one", NOW, (Sighting("worker celery@web-1", answer),), ())
            )
            await on.until(lambda: [s.subject for s in on.app.location.path] == ["fresh-one"])
            await on.until(lambda: "late.task" in on.text)

    async def test_each_place_without_the_task_is_named(self) -> None:
        async with opened(Location("tasks")) as on:
            await on.press(":", *"task nothing", "enter")
            await on.until(lambda: on.session.looked_up == ["nothing"])
            looked = (
                PlaceChecked("workers", False, "unknown to w1"),
                PlaceChecked("backend", None, "there is no result backend"),
            )
            on.session.lookup.set_result(TaskLookup("nothing", NOW, (), looked))
            await on.until(lambda: "nothing was not found" in on.text)
            assert "workers: unknown to w1" in on.text
            assert "backend: there is no result backend" in on.text
            assert "Only the history is searched for the start of an id" in on.text
            await on.press("escape")
            await on.until(lambda: "No place knows" not in on.text)
            assert on.app.location.path == ()


def test_a_number_without_a_total_is_shown_also_beside_an_estimate() -> None:
    state = climbing()
    backend(state, 2, NOW - 1, current=1_250)
    backend(state, 4, NOW - 1, current=42)
    context = make_app(state, Clock())[0].context
    assert progress_texts(state.tasks[uuid(4)], context, NOW) == ("42",)
    assert progress_texts(state.tasks[uuid(2)], context, NOW)[-1] == "1,250"
