from __future__ import annotations

from celtop.tests.tui.app_under_test import make_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.navigation import MAX_HISTORY, DrillDown, History, Location


def test_history_goes_back_and_forth() -> None:
    history = History()
    for view in ("overview", "tasks", "queues"):
        history.visit(Location(view))
    assert history.step(-1) == Location("tasks")
    assert history.step(-1) == Location("overview")
    assert history.step(-1) is None
    assert history.step(1) == Location("tasks")


def test_a_new_place_forgets_what_lay_ahead() -> None:
    history = History()
    for view in ("overview", "tasks", "queues"):
        history.visit(Location(view))
    history.step(-1)
    history.visit(Location("log"))
    assert history.step(1) is None
    assert history.step(-1) == Location("tasks")


def test_history_is_bounded_and_ignores_repeats() -> None:
    history = History()
    for number in range(MAX_HISTORY * 2):
        history.visit(Location("tasks", (DrillDown("task", str(number)),)))
        history.visit(Location("tasks", (DrillDown("task", str(number)),)))
    assert len(history.locations) == MAX_HISTORY
    assert history.step(-1) == Location("tasks", (DrillDown("task", str(MAX_HISTORY * 2 - 2)),))


def test_places_know_the_way_in_and_out() -> None:
    deep = (
        Location("queues")
        .deeper(DrillDown("tasks", 'queue:="celery"'))
        .deeper(DrillDown("task", "1"))
    )
    assert deep.out().path == (DrillDown("tasks", 'queue:="celery"'),)
    assert Location("queues").out() == Location("queues")


async def test_from_a_queue_to_a_task_and_all_the_way_back() -> None:
    app, _ = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        await pilot.pause()
        app.screen.table.move_to("celery")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await pilot.pause()
        assert {task.queue for task in app.screen.table.rows} == {"celery"}  # type: ignore[attr-defined]
        await pilot.press("enter")
        await pilot.pause()
        assert [step.kind for step in app.location.path] == ["queue", "task"]
        await pilot.press("escape")
        assert [step.kind for step in app.location.path] == ["queue"]
        await pilot.press("escape")
        assert app.location == Location("queues")


async def test_a_type_opens_its_page_and_all_its_tasks() -> None:
    app, _ = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("5", "enter")
        await pilot.pause()
        name = app.location.path[0].subject
        await pilot.press("a")
        await pilot.pause()
        assert {task.name for task in app.screen.table.rows} == {name}  # type: ignore[attr-defined]
        assert [step.kind for step in app.location.path] == ["type", "tasks"]


async def test_a_related_task_is_a_link() -> None:
    from celtop.tests.tui.fake_session import NOW, feed, task_events

    state = cluster()
    feed(state, task_events(1, "flow.start", uuid="root", at=NOW - 9))
    feed(state, task_events(2, "flow.step", uuid="step", root_id="root", parent_id="root"))
    app, _ = make_app(state)
    async with app.run_test(size=(120, 36)) as pilot:
        app.go(Location("tasks", (DrillDown("task", "step"),)))
        await pilot.pause()
        app.screen.set_focus(app.screen.query_one("#related-table"))
        await pilot.press("enter")
        await pilot.pause()
        assert app.location.path[-1].subject == "root"
        await pilot.press("[")
        assert app.location.path[-1].subject == "step"


async def test_the_session_gets_what_is_on_the_screen() -> None:
    app, session = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert "queues" in session.topics
        await pilot.press("3", "enter")
        await pilot.pause()
        assert session.topics == {"worker:celery@geo-2"}
        await pilot.press("2")
        await pilot.pause()
        assert session.topics == frozenset()
