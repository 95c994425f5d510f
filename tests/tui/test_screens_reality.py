"""What is not as it seemed: corrected, lost, silent. It must be seen, and say why."""

from __future__ import annotations

from celtop.model.entities.worker import Worker
from celtop.model.health.findings import findings
from celtop.tests.tui.app_under_test import make_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.bars.header import HeaderBar
from celtop.tui.bars.states import StateStrip
from celtop.tui.details.worker import worker_fields
from celtop.tui.screens.log import LogScreen
from celtop.tui.text.alerts import alerts


async def test_the_header_counts_what_was_corrected_and_leads_to_the_log() -> None:
    state = cluster()
    app, _ = make_app(state)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.pause(0.1)
        assert "corrected" not in app.screen.query_one(HeaderBar).text
        task = next(one for one in state.tasks.values() if one.running)
        state._tasks.mark_lost(task, NOW, "worker")
        state.tick(NOW)
        app.frame_loop.paint()
        assert "1 state corrected" in app.screen.query_one(HeaderBar).text
        assert "lost 1" in app.screen.query_one(StateStrip).text
        await app.run_action("corrected")
        await pilot.pause(0.2)
        screen = app.monitor_screen
        assert isinstance(screen, LogScreen)
        assert [row.source for row in screen.rows] == ["tasks"]
        assert "lost with" in screen.rows[0].text


def test_a_silent_worker_has_what_it_does_not_do() -> None:
    state = cluster()
    worker: Worker = next(
        one for one in state.workers.values() if one.status(state.broker.listening(NOW)) == "online"
    )
    worker.stalled_since = worker.idle_since = NOW - 40
    assert worker.health(state.broker.listening(NOW)) == "stalled"
    told = [alert for alert in alerts(findings(state, NOW), NOW) if alert.subject == worker.name]
    assert any(alert.level == "bad" and "for 40 s" in alert.text for alert in told)
    from celtop.tests.tui.test_columns import FRAME

    status = worker_fields(worker, "stalled", FRAME)[0]
    assert status.style == "bad"
    assert "sends heartbeats, but took no task from" in status.value
