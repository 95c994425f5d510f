"""The list of queues, and that of the Overview."""

from __future__ import annotations

import pytest
from celtop.model.observations import QueueMeasured
from celtop.tests.tui.app_under_test import run_app, screen_lines
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import Location

NAMES = ("q-mail", "q-billing", "q-geo")
"""In the order in which they were measured first."""


@pytest.mark.parametrize("view", ["overview", "queues"])
async def test_queues_of_the_same_status_are_in_the_order_of_their_names(view: str) -> None:
    state = cluster(0)
    for name in NAMES:
        state.observe(QueueMeasured(name, NOW, 0))
    async with run_app(state, Location(view), size=(120, 50)) as ui:
        await ui.until(lambda: all(name in ui.text for name in NAMES))
        lines = screen_lines(ui.app)
        shown = [name for line in lines for name in NAMES if f"{name} " in line][: len(NAMES)]
        assert shown == sorted(NAMES)


async def test_the_cursor_is_on_the_worst_queue_until_one_is_chosen() -> None:
    state = cluster(0)
    for name in NAMES:
        state.observe(QueueMeasured(name, NOW, 0))
    async with run_app(state, Location("queues")) as on:
        for name in ("q-mail", "q-geo"):
            on.session.put(QueueMeasured(name, NOW, 900))
            await on.until(lambda name=name: on.table.rows[0].name == name)
            await on.until(lambda name=name: on.table.cursor_id == name)
            on.session.put(QueueMeasured(name, NOW + 1, 0))
        await on.press("G")
        last = on.table.cursor_id
        assert last != "q-billing"
        on.session.put(QueueMeasured("q-billing", NOW, 900))
        await on.until(lambda: on.table.rows[0].name == "q-billing")
        assert on.table.cursor_id == last
