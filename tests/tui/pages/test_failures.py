"""What fails, grouped: the screen behind `e`, and the overview's pane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celtop.model.observations import ConnectionChanged, QuestionsAnswered
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import (
    AppUnderTest,
    Clock,
    make_app,
    run_app,
    screen_lines,
)
from celtop.tests.tui.fake_session import NOW, FakeSession, cluster, feed, task_events
from celtop.tests.tui.stored import DirectReader, rows_of, store_in
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.pages import stored_failures
from celtop.tui.pages.failures import FailuresScreen

TRACE = """Traceback (most recent call last):
  File "/v/lib/python3.11/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/shop/images/tasks.py", line {line}, in {function}
    raise ValueError({number})
ValueError: {number}
"""


def failing() -> ClusterState:
    """Return a shop where images fail in two places, and mails in a third way."""
    state = cluster(0)
    for number in range(12):
        function = "download" if number < 7 else "resize"
        if number == 11:
            name, exception, traceback = "mail.send", "OSError('no route')", None
        else:
            name, exception = "images.fetch", f"ValueError({number})"
            traceback = TRACE.format(line=40 + number, function=function, number=number)
        told: dict[str, Any] = {"exception": exception, "traceback": traceback}
        feed(state, task_events(number, name, at=NOW - 300 + number, end="failed", **told))
    return state


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


class _Staged:
    """An app on that shop's failures."""

    def __init__(self, size: tuple[int, int] = (120, 36)) -> None:
        self.app, self.session = make_app(failing(), Clock())
        self._run = self.app.run_test(size=size)

    async def __aenter__(self) -> AppUnderTest:
        pilot = await self._run.__aenter__()
        await pilot.pause()
        return AppUnderTest(self.app, self.session, pilot)

    async def __aexit__(self, *error: Any) -> None:
        await self._run.__aexit__(*error)


async def on_groups(on: AppUnderTest) -> FailuresScreen:
    await on.until(lambda: isinstance(on.app.screen, FailuresScreen) and on.app.screen.ready)
    await on.pilot.pause(0.05)
    screen = on.app.screen
    assert isinstance(screen, FailuresScreen)
    return screen


async def test_the_groups_come_with_count_and_place_the_largest_first() -> None:
    async with _Staged() as on:
        await on.press("e")
        screen = await on_groups(on)
        assert [group.count for group in screen.list_table.rows] == [7, 4, 1]  # type: ignore[attr-defined]
        lines = [line for line in screen_lines(on.app) if "×" in line]
        assert "7 ×" in lines[0]
        assert "ValueError" in lines[0]
        assert "images/tasks.py in download" in lines[0]
        assert "images/tasks.py in resize" in lines[1]
        assert "mail.send" in lines[2]
        assert "raise ValueError(6)" in on.text


async def test_enter_lists_exactly_the_groups_tasks_and_all_can_be_acted_on() -> None:
    async with _Staged() as on:
        await on.press("e")
        await on_groups(on)
        await on.press("j", "enter")
        await on.until(lambda: [s.kind for s in on.app.location.path] == ["failures", "tasks"])
        await on.until(lambda: len(on.table.rows) == 4)
        assert {task.id for task in on.table.rows} == {uuid(number) for number in range(7, 11)}
        await on.press("a")
        assert set(on.table.marks) == {uuid(number) for number in range(7, 11)}
        await on.press("R")
        await on.until(lambda: bool(on.session.asked))
        assert set(on.session.asked[0]) == {uuid(number) for number in range(7, 11)}


async def test_operations_concern_the_groups_tasks_and_on_the_traceback_its_own() -> None:
    async with _Staged() as on:
        await on.press("e")
        await on_groups(on)
        await on.press("j", "R")
        await on.until(lambda: len(on.session.asked) == 1)
        assert on.session.asked[0] == tuple(uuid(number) for number in (10, 9, 8, 7))
        await on.press("escape", "space", "g", "space")
        assert "2 marked:  R retry" in on.text
        await on.press("R")
        await on.until(lambda: len(on.session.asked) == 2)
        assert set(on.session.asked[1]) == {uuid(number) for number in range(11)}
        await on.press("escape", "U", "tab", "R")
        await on.until(lambda: len(on.session.asked) == 3)
        assert on.session.asked[2] == (uuid(10),)


async def test_the_line_below_shows_what_a_group_has_in_common() -> None:
    async with _Staged() as on:
        on.session.state.workers["celery@web-1"].software_version = "5.6.2"
        await on.press("e")
        await on_groups(on)
        await on.until(lambda: "7 ValueError" in on.text)
        assert "first 07:55:00, last 07:55:06" in on.text
        assert "Celery 5.6.2" in on.text and "failed runs: celery@web-1 7" in on.text
        assert "3 groups" in on.text and "12 FAILURE" in on.text


async def test_the_groups_tasks_take_the_lines_that_the_traceback_leaves() -> None:
    async with _Staged(size=(120, 40)) as on:
        await on.press("e")
        screen = await on_groups(on)
        shown = [row.id for row in screen.group_tasks.tasks]
        assert shown == [uuid(number) for number in range(6, -1, -1)]
        await on.until(lambda: "Failed in the last hour" in on.text)
        assert "failed in 3 m 0" in on.text and "now" in on.text
        for number in range(12, 50):
            trace = TRACE.format(line=40, function="download", number=number)
            told: dict[str, Any] = {"exception": f"ValueError({number})", "traceback": trace}
            at = NOW - 60 + number
            feed(on.session.state, task_events(number, "images.fetch", at=at, end="failed", **told))
        screen.catch_up()
        await on.until(lambda: screen.group_tasks.table.seen[:1] == (uuid(49),))
        await on.until(lambda: "Latest tasks" in on.text)
        assert not screen.group_trend.display, "the tasks take all lines"
        await on.press("j")
        await on.until(
            lambda: (
                [row.id for row in screen.group_tasks.tasks]
                == [uuid(number) for number in range(10, 6, -1)]
            )
        )
        await on.press("tab", "f")
        assert not screen.group_tasks.display
        await on.press("f")
        await on.until(lambda: screen.group_tasks.display)
        await on.pilot.resize_terminal(80, 14)
        await on.until(lambda: not screen.group_tasks.display)


async def test_the_last_own_frame_is_three_keys_away() -> None:
    async with _Staged() as on:
        await on.press("e")
        await on_groups(on)
        await on.press("tab", "y")
        assert on.clipboard == "/srv/shop/images/tasks.py:46"
        await on.press("down", "enter")
        await on.until(lambda: len(on.said) == 2)
        assert on.clipboard == "/srv/shop/images/tasks.py:46"


async def test_tab_on_a_library_frame_shows_its_source_and_otherwise_goes_on() -> None:
    async with _Staged() as on:
        await on.press("e")
        screen = await on_groups(on)
        await on.press("tab", "down", "down", "tab")
        assert screen.focused is not None and screen.focused.id == "traceback-text"
        assert "R = retval = fun(*args, **kwargs)" in on.text
        await on.press("tab")
        assert "retval" not in on.text
        await on.press("up", "tab")
        assert screen.focused is not None and screen.focused.id == screen.list_table.id


async def test_the_focused_traceback_is_searched_and_otherwise_the_list_is_filtered() -> None:
    async with _Staged() as on:
        await on.press("e")
        screen = await on_groups(on)
        await on.press("tab", "slash", *"fun(", "enter")
        assert "1 of 1" in on.text and "retval = fun(" in on.text
        assert len(screen.list_table.rows) == 3
        await on.press("n", "escape")
        assert not screen.searching
        await on.press("shift+tab", "slash", *"mail", "enter")
        await on.until(lambda: len(screen.list_table.rows) == 1)


async def test_on_a_task_it_is_the_tasks_own_group_and_traceback() -> None:
    async with _Staged() as on:
        on.app.go(Location("tasks", (DrillDown("task", uuid(8)),)))
        await on.until(lambda: on.app.location.path != ())
        await on.press("e")
        screen = await on_groups(on)

        def place() -> str:
            group = screen.list_table.cursor_row
            return "" if group is None else group.place

        await on.until(lambda: place() == "images/tasks.py in resize")
        await on.until(lambda: "raise ValueError(8)" in on.text)
        await on.press("escape")
        assert [step.kind for step in on.app.location.path] == ["task"]


async def test_in_a_list_it_is_the_group_of_the_cursors_task() -> None:
    async with _Staged() as on:
        await on.press("2")
        await on.until(lambda: len(on.table.rows) >= 12)
        await on.to(uuid(11))
        await on.press("e")
        screen = await on_groups(on)
        assert screen.list_table.cursor_row is not None
        assert screen.list_table.cursor_row.error == "OSError"


async def test_groups_live_and_can_be_filtered() -> None:
    async with _Staged() as on:
        await on.press("e")
        screen = await on_groups(on)
        event = Event("task-failed", "w", NOW, uuid=uuid(99), exception="KeyError('x')")
        feed(on.session.state, [event])
        on.app.frame_loop.paint()
        await on.until(lambda: len(screen.list_table.rows) == 4)
        await on.press("slash", *"resize", "enter")
        await on.until(lambda: len(screen.list_table.rows) == 1)
        assert "1 of 4" in on.text


async def test_the_overviews_pane_shows_the_same_groups_and_opens_them() -> None:
    async with _Staged() as on:
        await on.until(lambda: "7 ×" in on.text)
        table = on.app.screen.query_one("#failures-table")
        on.app.screen.set_focus(table)
        await on.press("enter")
        await on.until(lambda: [step.kind for step in on.app.location.path] == ["tasks"])
        await on.until(lambda: len(on.table.rows) == 7)
        assert not isinstance(on.app.screen, ConfirmDialog)


async def test_the_failure_of_a_task_page_can_be_zoomed_in_a_small_terminal() -> None:
    async with _Staged((80, 24)) as on:
        on.app.go(Location("tasks", (DrillDown("task", uuid(8)),)))
        await on.until(lambda: "raise ValueError(8)" in on.text)
        on.screen.set_focus(on.screen.traceback)
        await on.until(lambda: "y copy path:line" in on.text)
        height = on.screen.traceback.size.height
        await on.press("f")
        assert on.screen.traceback.size.height == 21
        assert "f restore" in on.text.splitlines()[-1], "the footer is still there"
        await on.press("f")
        await on.until(lambda: on.screen.traceback.size.height == height)


async def test_the_page_without_failures() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW))
    state.observe(QuestionsAnswered(("workers",), NOW))
    app, session = make_app(state, Clock())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        on = AppUnderTest(app, session, pilot)
        await on.press("e")
        await on_groups(on)
        await on.until(lambda: "No failures so far" in on.text)


async def test_a_small_terminal_has_both() -> None:
    async with _Staged((80, 24)) as on:
        await on.press("e")
        screen = await on_groups(on)
        assert "7 ×" in on.text
        assert "ValueError(6)" in on.text
        await on.press("tab", "f")
        await on.pilot.pause(0.05)
        assert "7 ×" not in on.text
        assert "ValueError(6)" in on.text
        assert screen.example_pane.size.height > 20
        await on.press("f")
        await on.until(lambda: screen.list_table.size.height == 4)


async def test_a_longer_window_groups_the_failures_of_the_history(tmp_path: Path) -> None:
    def events(count: int, ago: float, exception: str) -> list[Event]:
        trace = TRACE.format(line=40, function="download", number=1)
        return [
            one
            for number in range(count)
            for one in task_events(
                number,
                "images.fetch",
                uuid=f"{exception[:3]}-{ago:.0f}-{number}",
                at=NOW - ago - number,
                end="failed",
                exception=exception,
                traceback=trace,
            )
        ]

    rows = rows_of(
        [
            *events(4, 5 * 3_600, "KeyError('a')"),
            *events(3, 20 * 3_600, "KeyError('b')"),
            *events(2, 50 * 3_600, "OSError('c')"),
        ]
    )
    async with run_app(
        failing(), stored=lambda session: store_in(session, tmp_path, tasks=rows)
    ) as on:
        on.app.context.chart_seconds = 3_600
        await on.press("e")
        screen = await on_groups(on)
        assert len(screen.rows) == 3, "those in memory"
        await on.press(".")
        await on.until(lambda: [group.count for group in screen.rows] == [4])
        assert "4 tasks in 6 h" in on.text
        assert "KeyError" in on.text
        await on.press(".")
        await on.until(lambda: [group.count for group in screen.rows] == [7])
        assert sum(screen.rows[0].trend.series(NOW)) == 7
        await on.press(".")
        await on.until(lambda: [group.error for group in screen.rows] == ["KeyError", "OSError"])
        await on.until(lambda: "Example: Key-18000-0" in on.text)
        assert "in download" in on.text
        await on.press("enter")
        await on.until(lambda: len(on.table.rows) == 7)
        await on.press("escape", ",", ",", ",")
        await on.until(lambda: len(screen.rows) == 4)  # with the group that was listed


async def test_a_history_that_cannot_be_read_is_no_window_without_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_failures, "READ_INTERVAL", 0.0)
    trace = TRACE.format(line=40, function="download", number=1)
    told: dict[str, Any] = {"exception": "KeyError('a')", "traceback": trace}
    rows = rows_of(task_events(1, "images.fetch", at=NOW - 5 * 3_600, end="failed", **told))
    readers: list[DirectReader] = []

    def stored(session: FakeSession) -> None:
        readers.append(store_in(session, tmp_path, tasks=rows))

    async with run_app(failing(), stored=stored) as on:
        on.app.context.chart_seconds = 21_600
        await on.press("e")
        screen = await on_groups(on)
        await on.until(lambda: "1 task in 6 h" in on.text)
        readers[0].store.close()
        await on.until(lambda: "history unavailable" in on.text)
        assert len(screen.rows) == 1, "as they were read before"
        await on.press(".")
        await on.until(lambda: "Unknown: history unavailable" in on.text)
        assert "? groups" in on.text
        assert "? tasks in 1 d" in on.text


async def test_all_stored_tasks_of_a_group_are_retried(tmp_path: Path) -> None:
    rows = rows_of(
        event
        for number in range(5)
        for event in task_events(
            number, "images.fetch", uuid=f"old-{number}", at=NOW - 18_000 - number, end="failed",
            exception="KeyError('a')", traceback="",
        )
    )  # fmt: skip
    async with run_app(
        cluster(3), stored=lambda session: store_in(session, tmp_path, tasks=rows)
    ) as on:
        on.app.context.chart_seconds = 6 * 3_600
        await on.press("e")
        screen = await on_groups(on)
        await on.until(lambda: [group.count for group in screen.rows] == [5])
        await on.press("R")
        await on.until(lambda: bool(on.session.asked))
        assert sorted(on.session.asked[0]) == [f"old-{number}" for number in range(5)]
        assert {f"old-{number}" for number in range(5)} <= on.app.context.live.tasks.keys()
