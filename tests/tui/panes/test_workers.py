"""The pane of the workers."""

from __future__ import annotations

from celtop.model.observations import ConnectionChanged
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import Location


async def test_busy_slots_are_unknown_while_the_broker_is_lost() -> None:
    async with run_app(cluster(30), Location("overview"), size=(60, 15)) as on:
        pane = on.screen.workers_pane

        def text() -> str:
            return " ".join(part.text for part in pane.summary())

        assert "of 8 slots busy" in text() and "?" not in text()
        on.session.state.observe(ConnectionChanged("lost", NOW))
        assert text() == "? of 3 online ? of 8 slots busy"
