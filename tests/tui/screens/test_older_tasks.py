"""Lists of tasks go on in the history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.history.stored_search import PAGE
from celtop.history.rows import StoredTask
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, FakeSession, cluster, task_events
from celtop.tests.tui.stored import DirectReader, rows_of, store_in
from celtop.tui.navigation import DrillDown, Location

HOUR = 3_600.0
COUNT = 700


def old_tasks() -> tuple[StoredTask, ...]:
    """Return some hours of tasks, every seventh of which failed."""
    events: list[Any] = []
    for number in range(COUNT):
        failed = {"end": "failed", "exception": "OldError()", "traceback": "tb"}
        events += task_events(
            number,
            f"old.task_{number % 2}",
            uuid=f"{number:08x}-old",
            at=NOW - 2 * HOUR - number * 10,
            **(failed if number % 7 == 0 else {}),  # type: ignore[arg-type]
        )
    return rows_of(sorted(events, key=lambda event: event.timestamp))


@pytest.fixture
def readers() -> list[DirectReader]:
    return []


@pytest.fixture
def stored(tmp_path: Path, readers: list[DirectReader]) -> Callable[[FakeSession], object]:
    rows = old_tasks()
    return lambda session: readers.append(store_in(session, tmp_path, tasks=rows))


async def test_a_filter_lists_what_the_history_has_and_how_much_that_is(
    stored: Callable[[FakeSession], object],
) -> None:
    async with run_app(cluster(3), Location("tasks"), stored=stored) as on:
        on.app.filter_by("name:old")
        await on.until(lambda: len(on.table.rows) == PAGE)
        assert f"history: {PAGE} of {COUNT} loaded" in on.text
        await on.press("G")
        await on.until(lambda: len(on.table.rows) == 2 * PAGE)
        on.app.filter_by("state:failure name:old")
        await on.until(lambda: len(on.table.rows) == COUNT // 7)
        assert "loaded" not in on.text, "everything is"
        assert on.table.rows[0].exception == "OldError()"
        assert {row.arrival < 0 for row in on.table.rows} == {True}


async def test_the_list_of_all_tasks_goes_on_in_the_history(
    stored: Callable[[FakeSession], object],
) -> None:
    async with run_app(cluster(100), Location("tasks"), stored=stored) as on:
        held = len(on.table.rows)
        assert on.session.history.stored is not None
        await on.press("G")
        await on.until(lambda: len(on.table.rows) == held + PAGE)
        first = [row.id for row in on.table.rows][held:]
        assert first == [f"{number:08x}-old" for number in range(PAGE)]


async def test_a_search_never_blocks_a_key_and_one_for_another_filter_ends(
    stored: Callable[[FakeSession], object], readers: list[DirectReader]
) -> None:
    async with run_app(cluster(3), Location("tasks"), stored=stored) as on:
        [reader] = readers
        reader.held = True
        on.app.filter_by("name:other")
        await on.pilot.pause()
        await on.until(lambda: "Searching the history" in on.text)
        on.app.filter_by("name:old.task_0 state:failure")
        await on.pilot.pause()
        reader.release()
        await on.until(lambda: len(on.table.rows) == COUNT // 14)
        assert "searching" not in on.text


async def test_a_history_that_cannot_be_read_is_noted(
    stored: Callable[[FakeSession], object], readers: list[DirectReader]
) -> None:
    async with run_app(cluster(3), Location("tasks"), stored=stored) as on:
        readers[0].store.close()
        on.app.filter_by("name:old")
        await on.until(lambda: "history unavailable" in on.text)


async def test_tasks_that_are_listed_by_their_ids_are_not_searched_for(
    stored: Callable[[FakeSession], object],
) -> None:
    async with run_app(cluster(3), stored=stored) as on:
        path = (DrillDown("tasks", "name:old", ids=frozenset({"a"})),)
        on.app.go(Location("types", path))
        await on.until(lambda: on.app.monitor_screen is not None and on.app.monitor_screen.ready)
        await on.pilot.pause()
        assert "history" not in on.text


async def test_a_filter_of_a_frozen_screen_searches_the_history_afterwards(
    stored: Callable[[FakeSession], object],
) -> None:
    async with run_app(cluster(100), Location("tasks"), stored=stored) as on:
        await on.press("p")
        on.app.filter_by("state:failure name:old")
        await on.pilot.pause(0.3)
        assert not len(on.table.rows)
        assert "history" not in on.text
        await on.press("p")
        await on.until(lambda: len(on.table.rows) == COUNT // 7)
