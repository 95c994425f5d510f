"""The screens as pictures. Few: each new Textual changes them. Made on one Python only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, cast

import plotext
import pytest
from celtop.tests.tui.app_under_test import make_app, screen_lines
from celtop.tests.tui.fake_session import cluster, refused
from celtop.tui.app.app import CeltopApp
from celtop.tui.navigation import DrillDown, Location
from celtop.widgets.charts.chart import Chart
from textual.pilot import Pilot
from textual.widgets import Input

pytestmark = [
    pytest.mark.snapshot,
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11) or not version("textual").startswith("8.2."),
        reason="the pictures are made with Python 3.11 and Textual 8.2",
    ),
]

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def _plotext_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw lines in braille from the first frame on, not once a thread is done."""
    monkeypatch.setattr(Chart, "imported", plotext)


def after(*keys: str) -> Callable[[Pilot[Any]], Any]:
    """Return what presses keys and waits for the screen to settle."""

    async def run(pilot: Pilot[Any]) -> None:
        await pilot.pause(0.2)
        await pilot.press(*keys)
        for line in pilot.app.screen.query(Input):
            line.cursor_blink = False
        await pilot.app.workers.wait_for_complete()
        await settle(pilot)

    return run


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until the screen has not changed for four looks, at most ten seconds."""
    lines: list[str] = []
    unchanged = 0
    for _ in range(100):
        await pilot.pause(0.1)
        before, lines = lines, screen_lines(cast("CeltopApp", pilot.app))
        unchanged = unchanged + 1 if lines == before else 0
        if unchanged == 4:
            return


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "narrow"])
def test_overview(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = make_app(cluster())
    assert snap_compare(app, terminal_size=size, run_before=after())


def test_tasks(snap_compare: Compare) -> None:
    app, _ = make_app(cluster())
    keys = ("2", "j", "space", "j", "j")
    assert snap_compare(app, terminal_size=(160, 24), run_before=after(*keys))


def test_task_detail(snap_compare: Compare) -> None:
    app, _ = make_app(cluster())
    keys = ("2", "j", "j", "j", "j", "j", "enter")
    assert snap_compare(app, terminal_size=(120, 36), run_before=after(*keys))


def test_worker_detail(snap_compare: Compare) -> None:
    app, _ = make_app(cluster())
    assert snap_compare(
        app, terminal_size=(120, 36), run_before=after("3", *"/web", "enter", "enter")
    )


def test_filter_in_a_small_terminal(snap_compare: Compare) -> None:
    app, _ = make_app(cluster())

    async def type_in_failures(pilot: Pilot[Any]) -> None:
        # All rows have one state, so that its column has one width, whenever it is measured.
        failed = DrillDown("tasks", "state:failure", "failed")
        cast("CeltopApp", pilot.app).go(Location("tasks").deeper(failed))
        await after()(pilot)
        await after("/", *"name:~image runtime:>x")(pilot)

    assert snap_compare(app, terminal_size=(60, 15), run_before=type_in_failures)


def test_a_broker_that_is_not_reached_in_ascii(snap_compare: Compare) -> None:
    app, _ = make_app(refused(), ascii=True)
    assert snap_compare(app, terminal_size=(100, 24), run_before=after())


def test_help(snap_compare: Compare) -> None:
    app, _ = make_app(cluster())
    assert snap_compare(app, terminal_size=(120, 36), run_before=after("2", "?"))
