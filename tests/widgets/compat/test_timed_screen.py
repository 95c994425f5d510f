"""Screens are drawn less often while keys are waiting."""

from __future__ import annotations

import time
from unittest.mock import PropertyMock, patch

from celtop.widgets.compat.textual_internals import FrugalApp
from celtop.widgets.compat.timed_screen import MAX_DELAY, TimedScreen


async def test_keys_that_wait_are_not_held_up_by_drawing_but_for_a_moment() -> None:
    app = FrugalApp()
    async with app.run_test() as pilot:
        screen = TimedScreen()
        await app.push_screen(screen)
        await pilot.pause()
        assert screen.settled
        screen._update_timer.pause()
        drawn: list[float] = []
        screen.on_drawn = drawn.append

        def update(waiting: int, seconds_since: float) -> bool:
            drawn.clear()
            screen._drawn_at = time.monotonic() - seconds_since
            with patch.object(FrugalApp, "message_queue_size", PropertyMock(return_value=waiting)):
                screen._on_timer_update()
            return bool(drawn)

        assert not update(waiting=1, seconds_since=-60.0)
        assert update(waiting=1, seconds_since=MAX_DELAY)
        assert update(waiting=0, seconds_since=-60.0)
        screen.settled = False
        assert update(waiting=1, seconds_since=-60.0)
