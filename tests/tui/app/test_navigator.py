"""A screen or page takes few layouts to open, and is displayed once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.navigation import PAGES, DrillDown, Location
from celtop.widgets.compat.settled_screen import SettledScreen
from celtop.widgets.compat.textual_internals import FrugalUpdate
from textual._compositor import LayoutUpdate
from textual.app import App

MAX_LAYOUTS = 4
TASK = f"{5:08x}-0000-4000-8000-{5:012x}"
"""A task that failed."""
OPENED = (
    Location("workers"),
    Location("types"),
    Location("findings"),
    Location("overview"),
    Location("tasks", (DrillDown("task", TASK),)),
    Location("workers", (DrillDown("worker", "celery@web-1"),)),
    Location("types", (DrillDown("type", "mail.send"),)),
    Location("tasks", (PAGES["failures"],)),
    Location("tasks", (PAGES["charts"],)),
)


async def test_a_screen_is_laid_out_few_times_and_displayed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layouts: Counter[Location] = Counter()
    displays: Counter[Location] = Counter()
    lay_out, display = SettledScreen._refresh_layout, App._display

    def counted_layout(screen: Any, *args: Any, **options: Any) -> None:
        layouts[screen.location] += 1
        lay_out(screen, *args, **options)

    def counted_display(app: Any, screen: Any, renderable: Any) -> None:
        # A frame may draw parts of it again meanwhile.
        if isinstance(renderable, FrugalUpdate) and isinstance(renderable._update, LayoutUpdate):
            displays[screen.location] += 1
        display(app, screen, renderable)

    async with run_app(cluster(), Location("tasks")) as on:
        for location in OPENED:
            monkeypatch.setattr(SettledScreen, "_refresh_layout", counted_layout)
            monkeypatch.setattr(App, "_display", counted_display)
            on.app.go(location)
            await on.until(lambda at=location: displays[at])
            assert layouts[location] <= MAX_LAYOUTS, location
            assert displays[location] == 1, location
            assert on.screen.settled


async def test_a_screen_that_is_opened_again_is_neither_laid_out_nor_styled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with run_app(cluster(), Location("tasks")) as on:
        for view in ("workers", "tasks", "workers"):
            on.app.go(Location(view))
            await on.until(lambda at=view: on.screen.location.view == at and on.screen.settled)
            await on.pilot.pause(0.1)
        on.app.go(Location("tasks"))
        styled: list[object] = []
        laid_out = on.screen._layouts
        monkeypatch.setattr(
            type(on.app.stylesheet), "apply", lambda sheet, node, **options: styled.append(node)
        )
        await on.until(lambda: on.screen.settled)
        assert not styled
        assert on.screen._layouts == laid_out


async def test_failures_behind_a_page_are_titled_as_those_of_all_tasks() -> None:
    of_type = Location("types", (DrillDown("type", "mail.send", "mail.send"),))
    for location, breadcrumb in (
        (of_type, "mail.send › All failures"),
        (Location("types"), "Types › Failures"),
    ):
        async with run_app(cluster(), location) as on:
            await on.press("e")
            await on.until(lambda wanted=breadcrumb: wanted in on.text)
