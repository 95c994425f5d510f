"""Two rows side by side."""

from __future__ import annotations

import json

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest, Clock, make_app, run_app, screen_lines
from celtop.tests.tui.fake_session import cluster
from celtop.tui.dialogs.text import TextDialog
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.pages.compare import CompareScreen
from celtop.tui.screens.here import here


async def compared(on: AppUnderTest) -> CompareScreen:
    await on.until(lambda: isinstance(on.app.screen, CompareScreen) and on.app.screen.ready)
    await on.pilot.pause(0.05)
    screen = on.app.screen
    assert isinstance(screen, CompareScreen)
    return screen


async def test_two_marked_tasks_differ_in_what_their_rows_and_arguments_show() -> None:
    app, session = make_app(cluster(), Clock())
    async with app.run_test(size=(120, 36)) as pilot:
        on = AppUnderTest(app, session, pilot)
        await on.press("2", "/", *"state:success", "enter", "space", "space", "=")
        screen = await compared(on)
        rows = {row.id: row for row in screen.rows}
        left, right = (session.state.tasks[id_] for id_ in screen.names)
        assert left is not right
        assert (rows["Name"].left, rows["Name"].right) == (left.name, right.name)
        assert rows["args[1]"].differs
        assert not rows["kwargs size[0]"].differs
        assert not rows["ID"].differs, "ids always differ"
        first = [row.differs for row in screen.rows]
        assert first == sorted(first, reverse=True), "differences come first"
        assert ("faults", "differences") in here(screen).general
        await on.press("!")
        assert all(row.differs for row in screen.rows)
        await on.press("enter")
        dialog = await on.dialog(TextDialog)
        assert dialog is not None


async def test_a_marked_worker_is_compared_with_the_one_under_the_cursor() -> None:
    app, session = make_app(cluster(), Clock())
    async with app.run_test(size=(120, 36)) as pilot:
        on = AppUnderTest(app, session, pilot)
        await on.press("3")
        await on.to("celery@web-1")
        await on.press("space")
        await on.to("celery@geo-1")
        await on.press("=")
        screen = await compared(on)
        assert screen.names == ("celery@web-1", "celery@geo-1")
        rows = {row.id: row for row in screen.rows}
        assert rows["Queues"].differs
        assert "celery@web-1" in "\n".join(screen_lines(app))


@pytest.mark.parametrize("width", [60, 80, 100])
async def test_both_values_have_the_same_width(width: int) -> None:
    app, session = make_app(cluster(), Clock())
    async with app.run_test(size=(width, 24)) as pilot:
        on = AppUnderTest(app, session, pilot)
        await on.press("2", "/", *"state:success", "enter", "space", "space", "=")
        screen = await compared(on)
        assert screen.table is not None
        widths = {one.column.id: one.width for one in screen.table._arrange().placed}
        assert widths["left"] == widths["right"]
        assert sum(widths.values()) + len(widths) - 1 <= width


async def test_one_row_alone_is_not_compared() -> None:
    app, session = make_app(cluster(), Clock())
    async with app.run_test(size=(120, 36)) as pilot:
        on = AppUnderTest(app, session, pilot)
        await on.press("5", "=")
        assert app.said == ["Mark two tasks, workers or task types with space to compare them"]
        assert not isinstance(app.screen, CompareScreen)


async def test_the_lines_below_few_fields_show_a_chart_of_each_side() -> None:
    app, session = make_app(cluster(), Clock())
    async with app.run_test(size=(120, 46)) as pilot:
        on = AppUnderTest(app, session, pilot)
        await on.press("5")
        await on.to("mail.send")
        await on.press("space")
        await on.to("images.download")
        await on.press("=")
        await compared(on)
        charts = {f"run p50 of {name}" for name in ("mail.send", "images.download")}
        await on.until(lambda: all(chart in on.text for chart in charts))


async def test_a_side_that_goes_away_keeps_its_last_values_and_is_named() -> None:
    state = cluster()
    names = ("celery@web-1", "celery@geo-1")
    where = Location("workers", (DrillDown("compare", json.dumps(["worker", *names])),))
    async with run_app(state, where) as on:
        screen = await compared(on)
        before = {row.id: row.right for row in screen.rows}
        assert before["Queues"] and "no longer in memory" not in on.text
        del state.workers[names[1]]
        on.app.frame_loop.paint()
        await on.until(lambda: f"differ  {names[1]} no longer in memory" in on.text)
        assert {row.id: row.right for row in screen.rows}["Queues"] == before["Queues"]
        del state.workers[names[0]]
        on.app.frame_loop.paint()
        await on.until(lambda: "differ  no longer in memory" in on.text)


async def test_a_frozen_comparison_shows_the_moment_of_the_freeze() -> None:
    state = cluster()
    names = sorted(state.types)[:2]
    where = Location("types", (DrillDown("compare", json.dumps(["type", *names])),))
    async with run_app(state, where) as on:
        screen = await compared(on)
        await on.press("p")
        assert screen._held[names[0]] is on.app.context.state.types[names[0]]
        assert screen._held[names[0]] is not on.app.context.live.types[names[0]]
        await on.press("p")
        assert screen._held[names[0]] is on.app.context.live.types[names[0]]
