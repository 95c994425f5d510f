"""From a key to a question, and from there to the session."""

from __future__ import annotations

import asyncio

import pytest
from celtop.bindings import ACTIONS
from celtop.model.confirm.dispatch import Confirmation
from celtop.model.confirm.targets import Selection
from celtop.model.entities.task import Task
from celtop.model.operations.commands import Report, Revoke
from celtop.model.operations.outcome import Answer
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import AppUnderTest, screen_lines
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tests.tui.operation_app import PLACES, RUNNING, WAITING, opened
from celtop.tui.dialogs import menu
from celtop.tui.dialogs.base import Dialog
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.outcome import OutcomeDialog
from celtop.tui.navigation import Location
from celtop.tui.operations import runner
from celtop.tui.operations.menu import menu_item
from celtop.tui.operations.tasks.revoke import why_none
from textual.widgets import Input

# No key acts by itself


@pytest.mark.parametrize(
    "location", PLACES, ids=lambda location: f"{location.view}{len(location.path)}"
)
async def test_no_key_changes_anything_without_a_dialog(location: Location) -> None:
    async with opened(location) as on:
        screen = on.app.monitor_screen
        assert screen is not None
        for action in ACTIONS:
            if not action.mutates or not set(action.contexts) & set(screen.CONTEXTS):
                continue
            said = len(on.said)
            await on.press(action.keys[0])
            await on.until(lambda: isinstance(on.app.screen, Dialog) or len(on.said) > said)  # noqa: B023
            assert on.session.done == [], action.id
            if isinstance(on.app.screen, Dialog):
                await on.press("escape")
                await on.until(lambda: not isinstance(on.app.screen, Dialog))
        assert on.session.done == []


@pytest.mark.parametrize(
    "location", PLACES, ids=lambda location: f"{location.view}{len(location.path)}"
)
async def test_in_read_only_every_such_key_is_refused_with_the_reason(location: Location) -> None:
    async with opened(location, read_only=True) as on:
        screen = on.app.monitor_screen
        assert screen is not None
        acts = [a for a in ACTIONS if a.mutates and set(a.contexts) & set(screen.CONTEXTS)]
        for number, action in enumerate(acts, start=1):
            await on.press(action.keys[0])
            assert on.said.count("read-only mode; :rw allows changes") == number, action.id
            assert on.app.monitor_screen is screen
        assert on.session.done == []
        assert on.session.asked == []


# The dialog


@pytest.mark.parametrize(
    ("keys", "done"),
    [
        (("enter",), False),
        (("escape",), False),
        (("y",), True),
        (("right", "enter"), True),
        (("tab", "enter"), True),
        (("right", "left", "enter"), False),
        (("l", "h", "l", "enter"), True),
    ],
    ids=str,
)
async def test_what_keys_in_the_dialog_do(keys: tuple[str, ...], done: bool) -> None:
    async with opened() as on:
        await on.to(WAITING[0])
        await on.press("X")
        dialog = await on.asked()
        assert dialog.focused is not None and dialog.focused.id == "cancel"
        await on.press(*keys)
        await on.until(lambda: not isinstance(on.app.screen, Dialog))
        assert bool(on.session.done) is done


async def test_keys_that_are_typed_ahead_are_for_the_dialog() -> None:
    async with opened() as on:
        await on.to(WAITING[1])
        on.burst("X", "y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke)
        assert command.ids == (WAITING[1],)
        assert command.workers == ("celery@geo-1", "celery@web-1")


async def test_keys_that_a_slow_dialog_is_late_for_do_not_reach_the_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "MAX_DIALOG_CHECKS", 3)
    async with opened() as on:
        opens = asyncio.Event()

        async def question() -> None:
            await opens.wait()
            await on.app.ask(Dialog[None]("Late"))

        on.app.begin(question())
        await on.press("y", "space", "3")
        assert on.clipboard == "" and on.table.marks == ()
        assert on.app.monitor_screen is not None
        opens.set()
        await on.dialog(Dialog)
        await on.press("escape")
        await on.until(lambda: on.app.monitor_screen is not None)

        opens.clear()
        on.app.begin(question())
        await on.press("escape", "y")
        assert on.said[0] == "Cancelled" and on.clipboard == on.table.cursor_id


async def test_list_keys_that_follow_at_once_do_not_act_and_do_not_reach_the_list() -> None:
    async with opened() as on:
        await on.to(WAITING[1])
        on.burst("X", "space", "a", "V", "X", "K", "R")
        await on.asked()
        await on.pilot.pause(0.1)
        assert on.session.done == [] and on.session.asked == []
        await on.press("escape")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.table.marks == () and on.table.cursor_id == WAITING[1]


async def test_what_was_chosen_at_the_key_stays_while_others_arrive() -> None:
    async with opened() as on:
        await on.to(WAITING[2])
        await on.press("X")
        await on.asked()
        feed(on.session.state, task_events(700, "late.arrival", end="received", at=NOW))
        on.app.repaint()
        await on.pilot.pause(0.3)
        await on.press("y")
        await on.until(lambda: on.session.done)
        assert on.session.done[0].ids == (WAITING[2],)  # type: ignore[attr-defined]


async def test_what_has_to_be_typed_enables_the_act() -> None:
    async with opened(Location("queues")) as on:
        on.burst("P")
        dialog = await on.asked()
        name = dialog.confirmation.must_type
        assert name is not None
        await on.press("y")
        assert isinstance(on.app.screen, ConfirmDialog)
        assert dialog.query_one(Input).value == "y"
        assert dialog.query_one("#yes").disabled
        await on.press("enter")
        assert on.app.screen is dialog
        await on.press("backspace", *name)
        assert not dialog.query_one("#yes").disabled
        await on.press("enter")
        await on.until(lambda: on.session.done)
        assert [one.targets for one in on.session.done] == [(name,)]


async def test_one_task_is_terminated_by_two_more_keys() -> None:
    async with opened() as on:
        await on.to(RUNNING)
        on.burst("K", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke)
        assert command.terminate and command.signal == "SIGTERM" and command.ids == (RUNNING,)


async def test_enter_on_an_empty_line_cancels() -> None:
    async with opened() as on:
        await on.to(RUNNING)
        await on.press("K", "enter")
        await on.asked()
        await on.press("enter")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.session.done == []


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 36)], ids=str)
@pytest.mark.parametrize("must_type", [None, "celery"])
async def test_hostile_words_fit_every_terminal(
    size: tuple[int, int], must_type: str | None
) -> None:
    hostile = "[/] [b]x[/b] \x1b]0;owned\x07 \u202etxt"
    asked = Confirmation(
        f"Purge {hostile}"[:20],
        hostile,
        tuple(f"{hostile} {number}" for number in range(30)),
        (hostile,) * 5,
        (hostile,) * 5,
        ("w" * 300, hostile),
        must_type,
        True,
    )
    async with opened(size=size) as on:
        dialog = ConfirmDialog(asked, (hostile,))
        on.app.push_screen(dialog)
        await on.asked()
        await on.pilot.pause(0.1)
        text = on.text
        assert not any(ord(letter) < 32 and letter != "\n" for letter in text)
        assert "\u202e" not in text
        assert "[b]x[/b]" in text
        assert "Cancel" in text and "Purge" in text
        assert len(screen_lines(on.app)) == size[1]
        facts = dialog.query_one("#facts")
        if size[1] < 36:
            assert facts.max_scroll_y > 0
            await on.press(*["down"] * 3)
            assert facts.scroll_y == (3 if must_type is None else 0) or facts.scroll_y == 3


# Read-only operations


async def test_a_read_only_operation_shows_its_replies_without_a_question() -> None:
    async with opened(Location("workers"), read_only=True) as on:
        await on.to("celery@web-1")
        on.app.begin(menu_item("worker.report").handler(on.app))
        await on.until(lambda: isinstance(on.app.screen, OutcomeDialog))
        assert on.session.done == [Report(workers=("celery@web-1",))]
        reply = Answer("confirmed", "\nsoftware -> celery:5.5\nplatform -> system:Linux")
        on.session.operations[-1].end(workers={"celery@web-1": reply})
        await on.until(lambda: "platform -> system:Linux" in on.text)
        assert "celery@web-1:" in on.text and "1 of 1 worker replied" in on.text


async def test_an_operation_that_ends_before_its_dialog_is_mounted_is_shown() -> None:
    async with opened(Location("workers")) as on:
        await on.to("celery@web-1")
        on.app.begin(menu_item("worker.report").handler(on.app))
        while not isinstance(on.app.screen, OutcomeDialog):
            await asyncio.sleep(0)
        assert not on.app.screen.mounted.is_set()
        reply = Answer("confirmed", "platform -> system:Linux")
        on.session.operations[-1].end(workers={"celery@web-1": reply})
        on.session.pump(NOW, 1.0)
        on.app.context.operations.update(on.session.state.operations)
        on.app.frame_loop.paint()
        await on.until(lambda: "platform -> system:Linux" in on.text)


# While a dialog is open


def fails(on: AppUnderTest, id_: str) -> None:
    failure = {"exception": "OSError()", "traceback": "", "uuid": id_}
    feed(on.session.state, [Event("task-failed", "celery@web-1", NOW, **failure)])  # type: ignore[arg-type]
    on.app.frame_loop.paint()


async def test_the_dialog_shows_that_its_target_has_finished_and_disables_the_button() -> None:
    async with opened() as on:
        await on.to(RUNNING)
        on.burst("K", "enter")
        await on.asked()
        await on.press("tab")
        fails(on, RUNNING)
        await on.pilot.pause()
        assert "Finished meanwhile: FAILURE" in on.text
        assert " has already finished" in on.text
        dialog = await on.asked()
        assert dialog.query_one("#yes").disabled
        await on.press("y")
        assert on.app.screen is dialog
        assert on.session.done == []


async def test_open_menus_show_that_their_task_has_finished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(menu, "REREAD_SECONDS", 0.0)
    async with opened() as on:
        await on.to(RUNNING)
        await on.press("K")
        signals = await on.dialog(Menu)
        assert "signal" in on.text and not signals.disabled_ids
        on.app.frame_loop.paint()
        fails(on, RUNNING)
        await on.pilot.pause()
        assert "FAILURE" in on.text and "already finished" in on.text
        assert len(signals.disabled_ids) == len(signals.choices)
        await on.press("enter")
        assert on.app.screen is signals
        await on.press("escape")
        await on.to(WAITING[0])
        await on.press("A")
        operations = await on.dialog(Menu)
        assert "task.revoke" not in operations.disabled_ids
        fails(on, WAITING[0])
        assert "task.revoke" in operations.disabled_ids
        await on.pilot.pause()
        assert "already finished (FAILURE)" in on.text


async def test_an_operation_from_the_menu_concerns_the_row_that_it_was_opened_for() -> None:
    async with opened() as on:
        on.app.filter_by("state:received")
        await on.to(WAITING[0])
        await on.press("A")
        menu = await on.dialog(Menu)
        assert WAITING[0][:8] in on.text
        fails(on, WAITING[0])
        assert on.app.table is not None and on.app.table.cursor_id != WAITING[0]
        menu.dismiss("task.revoke")
        await on.until(lambda: on.said)
        assert "already finished (FAILURE)" in on.said[-1]


async def test_details_name_the_tasks_that_were_revoked_and_their_present_state() -> None:
    async with opened() as on:
        await on.to(WAITING[0])
        on.app.table.mark(WAITING[0], WAITING[1])  # type: ignore[union-attr]
        await on.press("X")
        await on.asked()
        await on.press("y")
        on.session.operations[0].end()
        await on.press("d")
        await on.dialog(OutcomeDialog)
        assert f"{WAITING[0]} mail.send RECEIVED" in on.text
        fails(on, WAITING[1])
        await on.pilot.pause()
        assert f"{WAITING[1]} mail.send FAILURE" in on.text


def test_one_reason_for_all_selected_tasks_is_not_repeated() -> None:
    tasks = (Task("a"), Task("b"))
    reason = "already finished (SUCCESS)"
    alike = Selection((), tuple((task, reason) for task in tasks))
    assert why_none(alike) == "all 2 already finished (SUCCESS)"
    assert why_none(Selection((), ((tasks[0], reason), (tasks[1], "running")))) == (
        "1 task: already finished (SUCCESS); 1 task: running"
    )
