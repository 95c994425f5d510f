"""Bars are mounted in their places when they first have something to show."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import Location
from celtop.tui.screens.base.screen import MonitorScreen
from celtop.tui.seen_hints import SeenHints


async def test_bars_without_a_text_are_not_mounted() -> None:
    async with run_app(cluster(), Location("queues")) as on:
        shown = [type(one).__name__ for one in on.screen._stack if one.is_attached]
        assert shown == ["HeaderBar", "Vertical", "KeyBar"]


async def test_bars_are_mounted_in_their_places(tmp_path: Path) -> None:
    async with run_app(cluster(), Location("tasks")) as on:
        on.app.context.seen_hints = SeenHints(tmp_path / "hints.json")
        await on.to(f"{9004:08x}-0000-4000-8000-{9004:012x}")
        await on.press("space")
        fault = Fault("refused", "cannot connect", "Is the broker running?")
        on.session.put(ConnectionChanged("lost", NOW, fault))
        await on.until(lambda: "cannot connect" in on.text)
        await on.until(lambda: on.screen.hint_bar.is_attached)
        on.burst("X", "y")
        await on.until(lambda: on.session.operations)
        on.session.operations[0].end(refusal="the broker is lost")
        await on.until(lambda: "Did not revoke" in on.text)
        lines = on.text.splitlines()
        assert "cannot connect" in lines[1]
        assert "Did not revoke" in lines[-3] and on.screen.hint_bar.text in lines[-2]
        await on.pilot.resize_terminal(30, 8)
        await on.until(lambda: "w ?/3" in on.text.splitlines()[0])
        mounted = [type(one).__name__ for one in on.screen.children if one in on.screen._stack]
        assert mounted == [
            type(one).__name__ for one in on.screen._stack if one is not on.screen.replay_bar
        ]


async def test_a_bar_that_is_needed_from_the_start_is_in_the_first_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with run_app(cluster(), Location("tasks")) as on:
        on.session.put(ConnectionChanged("lost", NOW, Fault("refused", "cannot connect", "")))
        await on.until(lambda: "cannot connect" in on.text)
        attached: list[bool] = []
        lay_out = MonitorScreen.lay_out

        def noted(screen: MonitorScreen) -> None:
            attached.append(screen.banner.is_attached)
            lay_out(screen)

        monkeypatch.setattr(MonitorScreen, "lay_out", noted)
        on.app.go(Location("workers"))
        await on.until(lambda: on.screen.location.view == "workers" and on.screen.settled)
        assert set(attached) == {True}
        assert "cannot connect" in on.text.splitlines()[1]


@pytest.mark.parametrize("steps", range(0, 24, 3))
async def test_celtop_ends_while_a_screen_with_a_banner_is_opened(steps: int) -> None:
    async with run_app(cluster(), Location("tasks")) as on:
        on.session.put(ConnectionChanged("lost", NOW, Fault("refused", "cannot connect", "")))
        await on.until(lambda: "cannot connect" in on.text)
        on.app.go(Location("workers"))
        for _ in range(steps):
            await asyncio.sleep(0)
        on.app.exit(return_code=3)
    assert on.app.return_code == 3
