"""Acts from the menu and as typed commands, and in the log."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from celtop.bindings import ACTIONS
from celtop.model.operations.call import Unrecoverable
from celtop.model.operations.commands import PauseQueue, Purge, ResumeQueue, Revoke, RevokeStamped
from celtop.model.wire.events import Event
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tests.tui.operation_app import DONE, RUNNING, WAITING, opened
from celtop.tui.dialogs.base import Dialog
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.outcome import OutcomeDialog
from celtop.tui.dialogs.text import TextDialog
from celtop.tui.navigation import Location
from celtop.tui.operations import menu as operation_menu

# The menu of operations


async def test_the_menu_lists_all_and_greys_what_cannot_be_done() -> None:
    async with opened() as on:
        await on.to(DONE)
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        menu = on.app.screen
        assert isinstance(menu, Menu)
        reasons = {id_: hint for id_, _, hint in menu.choices}
        assert reasons["task.revoke"] == "already finished (FAILURE)"
        assert {"task.revoke", "task.terminate"} <= menu.disabled_ids
        assert (
            not {"task.retry", "task.rerun", "task.stamp", "task.revoke_listed"} & menu.disabled_ids
        )
        labels = {id_: label for id_, label, _ in menu.choices}
        assert labels["task.revoke_listed"].endswith("all listed: 6 of 29 ...")
        assert labels["task.revoke"].startswith("X")


async def test_the_key_beside_an_act_begins_it() -> None:
    async with opened() as on:
        await on.to(WAITING[0])
        await on.press("A", "X")
        dialog = await on.asked()
        assert dialog.confirmation.title == "Revoke 1 task"
        await on.press("escape")
        await on.to(DONE)
        on.burst("A", "X", "E")
        await on.until(lambda: on.session.asked == [(DONE,)])
        assert on.session.done == [] and on.said == []


async def test_a_retry_that_was_found_impossible_is_neither_in_the_footer_nor_in_the_menu() -> None:
    async with opened() as on:
        await on.to(DONE)
        await on.until(lambda: "R retry" in on.text.splitlines()[-1])
        on.session.recovered[DONE] = Unrecoverable(DONE, "no entry in the result backend")
        await on.press("enter")
        await on.until(lambda: "not possible" in on.text)
        await on.until(lambda: "E edit" in on.text.splitlines()[-1])
        assert "R retry" not in on.text.splitlines()[-1]
        await on.press("A")
        menu = await on.dialog(Menu)
        reasons = {id_: hint for id_, _, hint in menu.choices}
        assert reasons["task.retry"] == "no entry in the result backend"
        assert "task.retry" in menu.disabled_ids
        assert reasons["task.rerun"] == ""
        await on.press("escape", "escape")
        await on.until(lambda: on.table.cursor_row.id == DONE)
        assert "R retry" not in on.text.splitlines()[-1]


async def test_a_retry_that_is_refused_is_remembered_until_the_task_changes() -> None:
    async with opened() as on:
        await on.to(DONE)
        await on.press("R")
        on.session.recovering.set_result((Unrecoverable(DONE, "its arguments are cut"),))
        await on.dialog(TextDialog)
        await on.press("escape")
        await on.until(lambda: "E edit" in on.text.splitlines()[-1])
        task = on.session.state.tasks[DONE]
        assert on.app.context.unrecoverable.reason(task) == "its arguments are cut"
        task.version += 1
        assert on.app.context.unrecoverable.common_reason([task]) is None


async def test_a_retry_that_is_refused_for_a_reason_that_may_pass_is_offered_again() -> None:
    async with opened() as on:
        await on.to(DONE)
        await on.press("R")
        reason = "the result backend refused the connection"
        on.session.recovering.set_result((Unrecoverable(DONE, reason, passing=True),))
        await on.dialog(TextDialog)
        await on.press("escape", "A")
        menu = await on.dialog(Menu)
        assert "task.retry" not in menu.disabled_ids


async def test_of_an_offline_worker_only_what_needs_no_reply_is_offered() -> None:
    async with opened(Location("workers")) as on:
        await on.to("celery@web-1")
        await on.until(lambda: "D drain" in on.text.splitlines()[-1])
        feed(on.session.state, [Event("worker-offline", "celery@web-1", NOW)])
        await on.until(lambda: "shut down" in on.text)
        await on.to("celery@web-1")
        await on.until(lambda: "D drain" not in on.text.splitlines()[-1])
        await on.press("A")
        menu = await on.dialog(Menu)
        reasons = {id_: hint for id_, _, hint in menu.choices}
        for id_ in ("pool.grow", "worker.consumer", "worker.report", "worker.drain"):
            assert reasons[id_] == "celery@web-1 is offline; no reply is expected", id_
            assert id_ in menu.disabled_ids
        assert not {"worker.ping", "worker.heartbeat"} & menu.disabled_ids


async def test_a_pool_of_a_fixed_size_is_not_offered_to_be_resized() -> None:
    async with opened(Location("workers")) as on:
        await on.to("celery@web-1")
        await on.until(lambda: "+ grow" in on.text.splitlines()[-1])
        on.session.state.workers["celery@web-1"].pool = "threads"
        await on.press("up", "down")
        await on.until(lambda: "+ grow" not in on.text.splitlines()[-1])
        assert "D drain" in on.text.splitlines()[-1]


async def test_the_menu_names_the_workers_that_do_not_scale() -> None:
    async with opened(Location("workers")) as on:
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        reasons = {id_: hint for id_, _, hint in on.app.screen.choices}  # type: ignore[attr-defined]
        assert reasons["pool.autoscale"].endswith("was started without --autoscale")


async def test_the_menu_of_a_queue_has_what_its_dialogs_would_refuse() -> None:
    async with opened(Location("queues")) as on:
        await on.to("celery")
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        menu = on.app.screen
        assert isinstance(menu, Menu)
        assert not {"queue.pause", "queue.purge"} & menu.disabled_ids
        await on.press("escape")
        on.session.held["celery"] = PauseQueue(queue="celery", consumers=())
        on.session.state.workers["celery@web-1"].queues = ()
        on.session.state.queues["celery"].waiting = 0
        on.session.state.queues["celery"].measured_at = NOW
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        reasons = {id_: hint for id_, _, hint in on.app.screen.choices}  # type: ignore[attr-defined]
        assert reasons["queue.pause"] == "already paused"
        assert reasons["queue.purge"] == "celery is empty"


async def test_everything_that_the_filter_lets_through_is_revoked() -> None:
    async with opened() as on:
        await on.press("/", *"name:mail.send", "enter")
        await on.until(lambda: len(on.table.rows) == 10)
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        menu = on.app.screen
        assert isinstance(menu, Menu)
        on_the_way = [
            id_
            for id_, _, _ in menu.choices
            if id_ not in menu.disabled_ids or id_ == "task.revoke_listed"
        ]
        await on.press(*["down"] * on_the_way.index("task.revoke_listed"), "enter")
        dialog = await on.asked()
        assert dialog.notes == ("5 tasks: already finished (SUCCESS)",)
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke)
        waiting = f"{9004:08x}-0000-4000-8000-{9004:012x}"
        assert set(command.ids) == {*WAITING, waiting}


async def test_the_menu_refuses_everything_in_read_only_mode() -> None:
    async with opened(Location("queues"), read_only=True) as on:
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        menu = on.app.screen
        assert isinstance(menu, Menu)
        reasons = {id_: hint for id_, _, hint in menu.choices}
        assert (reasons.pop("queue.look"), reasons.pop("why")) == ("", "")
        assert set(reasons.values()) == {"read-only mode; :rw allows changes"}
        assert menu.disabled_ids == set(reasons)


async def test_a_whole_workflow_is_revoked() -> None:
    async with opened() as on:
        for number, parent in ((900, None), (901, 900), (902, 900), (903, None)):
            told: dict[str, Any] = (
                {} if parent is None else {"root_id": "wf-900", "parent_id": "wf-900"}
            )
            events = task_events(
                number, "chain.step", end="received", at=NOW - 1, uuid=f"wf-{number}", **told
            )
            feed(on.session.state, events)
        on.app.repaint()
        await on.until(lambda: on.table.move_to("wf-902"))
        from celtop.tui.operations.tasks import revoke

        on.app.begin(revoke.revoke_workflow(on.app))
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke)
        assert set(command.ids) == {"wf-900", "wf-901", "wf-902"}


async def test_a_stamp_is_asked_for() -> None:
    async with opened() as on:
        from celtop.tui.operations.tasks import revoke

        on.app.begin(revoke.revoke_stamped(on.app))
        await on.until(lambda: isinstance(on.app.screen, Dialog))
        await on.press(*"tenant", "enter")
        await on.until(lambda: "for example tenant=42" in on.text)
        await on.press(*"=42", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, RevokeStamped) and command.values == ("42",)


# Typed commands


async def test_a_task_is_revoked_by_what_is_typed() -> None:
    async with opened(Location("overview")) as on:
        await on.press(":", *f"revoke {WAITING[3][:8]}", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        assert on.session.done[0].ids == (WAITING[3],)  # type: ignore[attr-defined]


async def test_an_unknown_task_is_revoked_by_its_whole_id() -> None:
    unknown = "11111111-2222-4333-8444-555555555555"
    async with opened(Location("overview")) as on:
        await on.press(":", *f"revoke {unknown}", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        assert on.session.done[0].ids == (unknown,)  # type: ignore[attr-defined]


async def test_a_signal_can_be_typed() -> None:
    async with opened(Location("overview")) as on:
        await on.press(":", *f"terminate {RUNNING[:8]} kill", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke) and command.signal == "SIGKILL"


async def test_a_stamp_can_be_typed() -> None:
    async with opened(Location("overview")) as on:
        await on.press(":", *"stamp tenant=42", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, RevokeStamped)
        assert (command.header, command.values) == ("tenant", ("42",))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("revoke", "Missing argument: a task id or the start of one"),
        ("revoke ffff", "No known task id starts with ffff"),
        ("retry 0000", "29 task ids start with 0000"),
        ("pause", "Missing argument: a queue"),
        ("stamp tenant", "Invalid stamp: not HEADER=VALUE; for example tenant=42"),
    ],
)
async def test_the_error_of_what_cannot_be_done(line: str, said: str) -> None:
    async with opened(Location("overview")) as on:
        on.app.run_command(line)
        await on.pilot.pause()
        assert on.said == [said]
        assert on.session.done == []


async def test_queues_can_be_typed() -> None:
    async with opened(Location("overview")) as on:
        await on.press(":", *"purge celery", "enter")
        dialog = await on.asked()
        assert dialog.confirmation.must_type == "celery"
        await on.press(*"celery", "enter")
        await on.until(lambda: on.session.done)
        await on.press(":", *"pause celery", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: len(on.session.done) == 2)
        purge, pause = on.session.done
        assert purge == Purge(queue="celery")
        assert isinstance(pause, PauseQueue)
        assert [one.worker for one in pause.consumers] == ["celery@web-1"]
        on.session.held["celery"] = pause
        await on.press(":", *"resume celery", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: len(on.session.done) == 3)
        assert on.session.done[2] == ResumeQueue(queue="celery", consumers=pause.consumers)


@pytest.mark.parametrize("line", ["trigger", "trigger mail.send", "limit mail.send"])
async def test_forms_can_be_typed(line: str) -> None:
    async with opened(Location("overview")) as on:
        await on.press(":", *line, "enter")
        await on.until(lambda: isinstance(on.app.screen, Dialog))
        await on.until(lambda: on.app.screen.mounted.is_set())  # type: ignore[attr-defined]
        await on.pilot.pause(0.05)
        assert line.partition(" ")[2] in on.text
        await on.press("escape")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.session.done == []


# The log


async def test_the_log_shows_an_act_and_enter_all_that_came_of_it() -> None:
    from celtop.model.observations import OperationChanged
    from celtop.model.operations.outcome import Outcome

    async with opened(Location("log")) as on:
        outcome = Outcome(
            1,
            Purge(queue="celery"),
            NOW - 9,
            ended_at=NOW - 8,
            refusal="read-only",
        )
        on.session.waiting.append(OperationChanged(outcome, NOW - 8))
        await on.until(lambda: "Did not purge queue celery" in on.text)
        await on.press(":", *"operations", "enter")
        await on.until(lambda: len(on.table.rows) == 1)
        await on.press("g", "enter")
        await on.until(lambda: isinstance(on.app.screen, OutcomeDialog))
        assert "Did not purge queue celery: read-only" in on.text


async def test_each_of_two_acts_that_say_the_same_is_opened_by_its_own_line() -> None:
    from celtop.model.observations import OperationChanged
    from celtop.model.operations.outcome import Answer, Outcome

    async with opened(Location("log")) as on:
        for act, why in ((1, "no such queue"), (2, "busy")):
            answers = {"celery@web-1": Answer("confirmed"), "celery@geo-1": Answer("refused", "x")}
            command = PauseQueue(queue="celery", consumers=())
            outcome = Outcome(act, command, NOW, ended_at=NOW, workers=answers)
            told = {**answers, "queue": Answer("refused", why)}
            outcome = msgspec.structs.replace(outcome, targets=told)
            on.session.waiting.append(OperationChanged(outcome, NOW))
        await on.press(":", *"acts", "enter")
        await on.until(lambda: len(on.table.rows) == 2)
        for key, why in (("g", "busy"), ("G", "no such queue")):
            await on.press(key, "enter")
            await on.until(lambda: isinstance(on.app.screen, OutcomeDialog))
            await on.until(lambda why=why: why in on.text)
            await on.press("escape")


def test_every_screen_that_has_acts_offers_the_menu() -> None:
    menu = next(action for action in ACTIONS if action.id == "act.menu")
    contexts = {context for action in ACTIONS if action.mutates for context in action.contexts}
    assert contexts == set(menu.contexts)


async def test_the_menu_opens_at_once_for_a_long_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation_menu, "MAX_COUNTED_TASKS", 10)
    async with opened() as on:
        await on.press("A")
        shown = await on.dialog(Menu)
        labels = {id_: label for id_, label, _ in shown.choices}
        assert labels["task.revoke_listed"].endswith("all listed: up to 29 ...")
        assert "task.revoke_listed" not in shown.disabled_ids
