from __future__ import annotations

from datetime import UTC, datetime

from celtop.model.entities.messages.delayed import Delayed, DelayLevel
from celtop.model.observations import DelayedMeasured, QueuePeeked, WaitingMessage
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.navigation import Location


async def test_tasks_of_workers_and_waiting_messages_are_one_list() -> None:
    state = cluster(3)
    eta = datetime.fromtimestamp(NOW + 90, UTC).isoformat()
    feed(state, task_events(800, "mail.later", at=NOW - 9, end="received", eta=eta))
    waiting = WaitingMessage("w" * 8, "mail.queued", "celery", eta_at=NOW + 30)
    state.observe(QueuePeeked("celery", (waiting,), NOW, True))
    state.observe(DelayedMeasured(Delayed((DelayLevel(5, 3),), NOW), NOW))
    async with run_app(state=state) as on:
        on.app.go(Location("scheduled"))
        await on.until(lambda: "mail.later" in on.text)
        names = [on.table.rows[index].name for index in range(len(on.table.rows))]
        assert names.index("mail.queued") < names.index("mail.later")
        await on.until(lambda: on.session.topics == {"workers", "queues"})
        assert "delayed delivery: 3 waiting for their time" in on.text
        assert "press 9 for periodic tasks" in on.text


async def test_an_order_without_values_is_stated_until_there_is_one() -> None:
    state = ClusterState()
    for number in (1, 2):
        feed(state, task_events(number, "mail.send", end="retried", exception="OSError('x')"))
    async with run_app(state, Location("scheduled"), size=(120, 30)) as ui:
        await ui.until(lambda: "by Due ▲, no values: newest first" in ui.text)
        for task in state.tasks.values():
            task.eta_at = NOW + 60
            break
        ui.screen.tasks.set_order("eta", False)
        ui.screen.paint()
        assert ui.screen.order_text() == "by Due ▲"
