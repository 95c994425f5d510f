"""Checks of the keys that start operations."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import QueuePeeked, ResultsRead, ScheduleRead, WaitingMessage
from celtop.model.operations.commands import Purge
from celtop.model.operations.schedule_commands import SwitchEntries
from celtop.tests.model.schedules import entry
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.fake_session import NOW
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all
from celtop.tui.dialogs.base import Dialog
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.outcome import OperationDialog
from celtop.tui.dialogs.waiting import WaitingDialog
from celtop.tui.dialogs.why import WhyDialog


@checks("act.menu", sharing=True)
async def _act_menu(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    await ui.dialog(Menu)
    assert "task.revoke" in [id_ for id_, _, _ in ui.screen.choices]


@checks("act.details", sharing=True)
async def _act_details(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert not ui.session.done
    assert ui.said == ["No operation in this session yet"]


@checks("act.cancel")
async def _act_cancel(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    ui.table.move_to(f"{9004:08x}-0000-4000-8000-{9004:012x}")
    await ui.press("X")
    await ui.dialog(ConfirmDialog)
    await ui.press("y", "d")
    dialog = await ui.dialog(OperationDialog)
    assert f"Press {key} to cancel" in str(dialog.text())
    await ui.press(key)
    [operation] = ui.session.operations
    assert operation.cancelled
    operation.end()


@checks("task.revoke", sharing=True)
async def _revoke(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    ui.table.move_to(f"{9004:08x}-0000-4000-8000-{9004:012x}")
    await ui.press(key)
    dialog = await ui.dialog(ConfirmDialog)
    assert dialog.confirmation.title == "Revoke 1 task"


@checks("task.terminate", sharing=True)
async def _terminate(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    ui.table.move_to(f"{9003:08x}-0000-4000-8000-{9003:012x}")
    await ui.press(key)
    menu = await ui.dialog(Menu)
    assert [id_ for id_, _, _ in menu.choices][:2] == ["SIGTERM", "SIGKILL"]
    await ui.press("enter")
    dialog = await ui.dialog(ConfirmDialog)
    assert dialog.confirmation.destructive


@checks("task.retry", "task.rerun")
async def _retry(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    await ui.dialog(WaitingDialog)
    assert ui.session.asked == [(ui.app.screen_stack[-2].table.cursor_id,)]  # type: ignore[attr-defined]


@checks("task.trigger", sharing=True)
async def _trigger(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", key)
    await ui.dialog(Dialog)


@checks("pool.grow", "pool.shrink", "worker.consumer", "worker.drain", sharing=True)
async def _on_workers(ui: AppUnderTest, key: str) -> None:
    await ui.press("3", key)
    await ui.dialog(Dialog)
    assert not ui.session.done


@checks("queue.purge", sharing=True)
async def _purge(ui: AppUnderTest, key: str) -> None:
    await ui.press("4", key)
    await ui.dialog(Dialog)
    assert not ui.session.done


@checks("why")
async def _why(ui: AppUnderTest, key: str) -> None:
    alerts = ui.screen.query_one("#attention-table")
    alerts.focus()
    row = next(row for row in alerts.rows if row.finding.kind == "queue")
    await ui.to(row.id)
    await ui.press(key)
    await ui.dialog(WhyDialog)
    assert f"queue {row.finding.name}" in ui.text
    await ui.press("escape", "8")
    await ui.to(row.id)
    await ui.press(key)
    await ui.dialog(WhyDialog)
    await ui.press("escape", "4")
    queue = ui.table.cursor_row
    await ui.press(key)
    await ui.dialog(WhyDialog)
    assert f"{queue.waiting:,} messages waiting" in ui.text
    await ui.press("escape", "enter", key)
    await ui.dialog(WhyDialog)
    assert f"queue {queue.name}" in ui.text
    waiting = WaitingMessage("w1", "mail.send", queue.name)
    ui.session.state.observe(QueuePeeked(queue.name, (waiting,), NOW, complete=True))
    await ui.press("escape", ":", *"why w1", "enter")
    await ui.dialog(WhyDialog)
    assert f"It waits in {queue.name}" in ui.text
    assert ui.session.peeked[0][0] == queue.name
    assert not ui.session.done


@checks("queue.look")
async def _look(ui: AppUnderTest, key: str) -> None:
    await ui.press("4", key)
    await ui.until(lambda: bool(ui.session.peeked))
    queue = ui.session.peeked[0][0] or ""
    seen = WaitingMessage("w1", "mail.send", queue, args="(1,)", kwargs="{}")
    revoked = WaitingMessage("w2", "mail.send", queue)
    peeked = QueuePeeked(queue, (seen, revoked), NOW, complete=True, is_listing=True)
    ui.session.state.observe(ResultsRead((ResultMeta("w2", "REVOKED"),), NOW, "push"))
    ui.session.put(peeked)
    ui.session.peeking.set_result(peeked)
    for _ in range(200):
        if ui.app.location.path and len(ui.table.rows) == 2:
            break
        await ui.pilot.pause(0.02)
    assert [message.id for message in ui.table.rows] == ["w1", "w2"]
    assert "REVOKED" in ui.text
    assert not ui.session.done


@checks("message.remove")
async def _remove(ui: AppUnderTest, key: str) -> None:
    await ui.press("4", "v")
    await ui.until(lambda: bool(ui.session.peeked))
    queue = ui.session.peeked[0][0] or ""
    seen = WaitingMessage("w1", "mail.send", queue)
    peeked = QueuePeeked(queue, (seen,), NOW, complete=True, is_listing=True)
    ui.session.put(peeked)
    ui.session.peeking.set_result(peeked)
    await ui.until(lambda: ui.table is not None and len(ui.table.rows) == 1)
    await ui.press(key)
    await ui.asked()
    await ui.press("y")
    await ui.until(lambda: ui.session.done)
    assert ui.session.done == [Purge(queue=queue, ids=("w1",))]


@checks("type.limit", sharing=True)
async def _limit(ui: AppUnderTest, key: str) -> None:
    await ui.press("5", key)
    await ui.dialog(Dialog)
    assert not ui.session.done


@checks("confirm.yes", "confirm.no", "confirm.next", "confirm.previous")
async def _confirm(ui: AppUnderTest, key: str) -> None:
    await ui.press("2")
    ui.table.move_to(f"{9004:08x}-0000-4000-8000-{9004:012x}")
    await ui.press("X")
    dialog = await ui.dialog(ConfirmDialog)
    await ui.press(key)
    if key == "y":
        assert ui.session.done
    elif key == "n":
        assert ui.app.screen is not dialog and not ui.session.done
    else:
        assert dialog.focused is not None and dialog.focused.id == "yes"


@checks("form.next", "form.previous", sharing=True)
async def _form(ui: AppUnderTest, key: str) -> None:
    await ui.press("2", "t")
    form = await ui.dialog(Dialog)
    before = form.focused
    await ui.press(key)
    assert form.focused is not None and form.focused is not before


@checks("undo", sharing=True)
async def _undo(ui: AppUnderTest, key: str) -> None:
    await ui.press(key)
    assert not ui.session.done
    assert ui.said == [
        "Nothing to undo: no queue is paused, no worker is being drained, "
        "no limit or consumer was changed"
    ]


@checks("schedule.switch")
async def _switch(ui: AppUnderTest, key: str) -> None:
    nightly = entry("nightly", source="django-celery-beat", schedule="daily at 02:00 UTC")
    ui.session.put(ScheduleRead("django-celery-beat", NOW, (nightly,)))
    await ui.press("9")
    await ui.until(lambda: "nightly" in ui.text)
    await ui.press(key)
    dialog = await ui.dialog(ConfirmDialog)
    assert dialog.confirmation.title == "Disable nightly"
    assert dialog.confirmation.targets == ("nightly: daily at 02:00 UTC, app.nightly",)
    await ui.press("y")
    assert ui.session.done == [SwitchEntries(entries=("nightly",), enabled=False)]


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)
