"""What the keys do that begin an act."""

from __future__ import annotations

from celtop.model.observations import QueuePeeked, WaitingMessage
from celtop.tests.tui.fake_session import NOW
from celtop.tests.tui.key_checks import Stage, checks
from celtop.tui.dialogs.base import Dialog
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.outcome import OperationDialog
from celtop.tui.dialogs.waiting import WaitingDialog


@checks("act.menu")
async def _act_menu(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    await stage.dialog(Menu)
    assert "task.revoke" in [id_ for id_, _, _ in stage.screen.choices]


@checks("act.details")
async def _act_details(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert not stage.session.done
    assert [one.message for one in stage.app._notifications] == ["No operation in this session yet"]


@checks("act.cancel")
async def _act_cancel(stage: Stage, key: str) -> None:
    await stage.press("2")
    stage.table.move_to(f"{9004:08x}-0000-4000-8000-{9004:012x}")
    await stage.press("X")
    await stage.dialog(ConfirmDialog)
    await stage.press("y", "d")
    dialog = await stage.dialog(OperationDialog)
    assert f"Press {key} to cancel" in str(dialog.text())
    await stage.press(key)
    [operation] = stage.session.operations
    assert operation.cancelled
    operation.end()


@checks("task.revoke")
async def _revoke(stage: Stage, key: str) -> None:
    await stage.press("2")
    stage.table.move_to(f"{9004:08x}-0000-4000-8000-{9004:012x}")
    await stage.press(key)
    dialog = await stage.dialog(ConfirmDialog)
    assert dialog.confirmation.title == "Revoke 1 task"


@checks("task.terminate")
async def _terminate(stage: Stage, key: str) -> None:
    await stage.press("2")
    stage.table.move_to(f"{9003:08x}-0000-4000-8000-{9003:012x}")
    await stage.press(key)
    menu = await stage.dialog(Menu)
    assert [id_ for id_, _, _ in menu.choices][:2] == ["SIGTERM", "SIGKILL"]
    await stage.press("enter")
    dialog = await stage.dialog(ConfirmDialog)
    assert dialog.confirmation.destructive


@checks("task.retry", "task.rerun")
async def _retry(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    await stage.dialog(WaitingDialog)
    assert stage.session.asked == [(stage.app.screen_stack[-2].table.cursor_id,)]  # type: ignore[attr-defined]


@checks("task.trigger")
async def _trigger(stage: Stage, key: str) -> None:
    await stage.press("2", key)
    await stage.dialog(Dialog)


@checks("pool.grow", "pool.shrink", "worker.consumer", "worker.drain")
async def _on_workers(stage: Stage, key: str) -> None:
    await stage.press("3", key)
    await stage.dialog(Dialog)
    assert not stage.session.done


@checks("queue.purge")
async def _purge(stage: Stage, key: str) -> None:
    await stage.press("4", key)
    await stage.dialog(Dialog)
    assert not stage.session.done


@checks("queue.look")
async def _look(stage: Stage, key: str) -> None:
    await stage.press("4", key)
    await stage.dialog(WaitingDialog)
    queue = stage.session.peeked[0][0]
    seen = WaitingMessage("w1", "mail.send", queue, args="(1,)", kwargs="{}")
    peeked = QueuePeeked(queue, (seen,), NOW, complete=True)
    stage.session.waiting.append(peeked)
    stage.session.peeking.set_result(peeked)
    for _ in range(200):
        if stage.app.location.path and len(stage.table.rows):
            break
        await stage.pilot.pause(0.02)
    assert [task.id for task in stage.table.rows] == ["w1"]
    assert not stage.session.done


@checks("type.limit")
async def _limit(stage: Stage, key: str) -> None:
    await stage.press("5", key)
    await stage.dialog(Dialog)
    assert not stage.session.done


@checks("confirm.yes", "confirm.next", "confirm.previous")
async def _confirm(stage: Stage, key: str) -> None:
    await stage.press("2")
    stage.table.move_to(f"{9004:08x}-0000-4000-8000-{9004:012x}")
    await stage.press("X")
    dialog = await stage.dialog(ConfirmDialog)
    await stage.press(key)
    if key == "y":
        assert stage.session.done
    else:
        assert dialog.focused is not None and dialog.focused.id == "yes"


@checks("form.next", "form.previous")
async def _form(stage: Stage, key: str) -> None:
    await stage.press("2", "t")
    form = await stage.dialog(Dialog)
    before = form.focused
    await stage.press(key)
    assert form.focused is not None and form.focused is not before
