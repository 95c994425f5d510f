"""Keys that are typed ahead reach the screen that the key before them opens."""

from __future__ import annotations

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest, make_app
from celtop.tests.tui.fake_session import cluster
from celtop.tui.pages.worker import WorkerDetailScreen


@pytest.mark.parametrize("key", ["question_mark", "ctrl+p", "A"])
async def test_a_dialog_opens_on_the_page_of_the_key_before(key: str) -> None:
    app, session = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        await ui.press("3")
        ui.burst("enter", key)
        await ui.until(lambda: app.monitor_screen is None and len(app.screen_stack) > 1)
        await ui.pilot.pause()
        assert isinstance(app.screen_stack[1], WorkerDetailScreen)
