"""The Tasks screen searches the result backend for what its filter names."""

from __future__ import annotations

import pytest
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import HistorySearched, ResultsRead
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import DrillDown, Location


async def test_a_filter_searches_the_result_backend() -> None:
    async with run_app(state=cluster(3)) as on:
        on.session.put(HistorySearched("", 500, 20_015, False, "", NOW))
        on.app.go(Location("tasks"))
        await on.until(lambda: "500 of 20,015 loaded" in on.text)
        on.app.filter_by("state:failure finished:>1d")
        await on.until(lambda: on.session.searched == ["state:failure finished:>1d"])
        await on.until(lambda: "searching results" in on.text)
        old = ResultMeta("old", "FAILURE", name="geo.resize", done_at=NOW - 9e5)
        on.session.put(ResultsRead((old,), NOW, "search"))
        seen = HistorySearched("state:failure finished:>1d", 1, 3, False, "", NOW)
        on.session.put(seen)
        on.session.searching.set_result(seen)
        await on.until(lambda: "geo.resize" in on.text and "1 of 3 loaded" in on.text)
        await on.press("!")
        await on.until(lambda: on.session.searched[-1].endswith("state:failure,revoked"))


@pytest.mark.parametrize("size", [(60, 15), (120, 36)])
async def test_a_filter_is_shown_once(size: tuple[int, int]) -> None:
    async with run_app(cluster(20), Location("tasks"), size) as on:
        on.app.filter_by("name:images")
        await on.until(lambda: " of 2" in on.text and "name:images" in on.text)
        assert on.text.count("name:images") == 1
        await on.press("/", "x")
        await on.until(lambda: " 0 of 2" in on.text and "name:imagesx" in on.text)
        assert on.text.count("name:images") == 1


async def test_a_filter_that_is_opened_again_before_it_was_closed_stays_open() -> None:
    async with run_app(cluster(20), Location("tasks")) as on:
        await on.press("slash")
        # The keys `enter` and `/`, while the input has yet to handle what was typed before.
        on.screen.action_keep_filter()
        await on.screen.action_filter()
        await on.press("!")
        assert on.screen.filter_bar.display and on.screen.filter_text == "!"


async def test_a_drill_down_searches_for_its_tasks() -> None:
    async with run_app(state=cluster(3)) as on:
        on.app.go(Location("types", (DrillDown("tasks", "name:=geo.resize"),)))
        await on.until(lambda: on.session.searched == ["name:=geo.resize"])
        on.app.go(Location("scheduled"), filter_text="name:geo")
        await on.pilot.pause(1.0)
        assert on.session.searched == ["name:=geo.resize"]


async def test_a_list_of_some_tasks_does_not_say_that_there_are_none_at_all() -> None:
    path = (DrillDown("tasks", "name:=shop.never_sent"),)
    async with run_app(cluster(20), Location("tasks", path)) as on:
        await on.until(lambda: "No such tasks" in on.text)
