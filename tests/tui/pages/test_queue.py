"""The page of a queue."""

from __future__ import annotations

import pytest
from celtop.model.entities.queue import Queue
from celtop.model.entities.task import Task
from celtop.tests.tui.app_under_test import AppUnderTest, Clock, make_app, screen_lines
from celtop.tests.tui.fake_session import cluster
from celtop.tui.app.app import CeltopApp
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.pages.queue import QueueScreen
from celtop.tui.pages.task import TaskDetailScreen
from celtop.tui.screens.tasks import TaskListScreen


async def on_page(app: CeltopApp, on: AppUnderTest, name: str = "celery") -> QueueScreen:
    app.go(Location("queues").deeper(DrillDown("queue", name)))
    await on.until(lambda: isinstance(app.screen, QueueScreen) and app.screen.ready)
    await on.pilot.pause(0.05)
    screen = app.screen
    assert isinstance(screen, QueueScreen)
    await on.until(lambda: not screen.filtering)
    return screen


async def test_it_shows_numbers_consumers_failures_and_latest_tasks() -> None:
    state = cluster()
    app, session = make_app(state, Clock())
    async with app.run_test(size=(140, 44)) as pilot:
        on = AppUnderTest(app, session, pilot)
        screen = await on_page(app, on)
        queue = state.queues["celery"]
        assert [row.name for row in screen.worker_rows] == list(queue.known_consumers)
        of_queue = [task for task in state.tasks.values() if task.queue == "celery"]
        assert len(screen.latest) == len(of_queue)
        failed = {name for group in screen.failure_rows for name in group.names}
        assert failed >= {task.name for task in of_queue if state.failures.of(task.id)}
        text = "\n".join(screen_lines(app))
        assert "Queues › celery" in text
        assert "Run times" in text
        assert "p95" in text
        assert f"Waiting         {queue.waiting}" in text


async def test_operations_concern_the_queue_or_the_task_under_the_cursor() -> None:
    state = cluster()
    app, session = make_app(state, Clock())
    async with app.run_test(size=(140, 44)) as pilot:
        on = AppUnderTest(app, session, pilot)
        screen = await on_page(app, on)
        assert screen.chosen(Queue) == [state.queues["celery"]]
        assert screen.chosen(Task) == [screen.latest[0]]


async def test_a_task_and_the_tasks_of_a_group_of_failures_open_from_it() -> None:
    app, session = make_app(cluster(), Clock())
    async with app.run_test(size=(140, 44)) as pilot:
        on = AppUnderTest(app, session, pilot)
        screen = await on_page(app, on)
        await on.press("enter")
        await on.until(lambda: isinstance(app.screen, TaskDetailScreen))
        await on.press("escape")
        await on.until(lambda: app.screen is screen)
        screen.set_focus(screen.lists["failures"])
        await on.press("enter")
        await on.until(lambda: isinstance(app.screen, TaskListScreen) and len(app.screen.tasks) > 0)
        listed = app.screen
        assert isinstance(listed, TaskListScreen)
        assert {task.queue for task in listed.tasks} == {"celery"}


@pytest.mark.parametrize("size", [(240, 60), (120, 36), (80, 24), (60, 15)])
async def test_what_is_wrong_with_a_queue_is_above_its_charts(size: tuple[int, int]) -> None:
    app, session = make_app(cluster(), Clock())
    async with app.run_test(size=size) as pilot:
        on = AppUnderTest(app, session, pilot)
        screen = await on_page(app, on, "notifications")
        await on.until(lambda: "no consumers" in on.text and screen.chart_strip.region.height)
        pane = screen.panes["findings"]
        assert pane.region.bottom <= screen.chart_strip.region.y
        assert pane.region.height == len(screen.findings.alerts) + 2, "its rows and the frame"


async def test_an_unknown_queue_is_named_as_unknown() -> None:
    app, session = make_app(cluster(0), Clock())
    async with app.run_test(size=(80, 24)) as pilot:
        on = AppUnderTest(app, session, pilot)
        await on_page(app, on, "nowhere")
        assert "unknown" in "\n".join(screen_lines(app))
