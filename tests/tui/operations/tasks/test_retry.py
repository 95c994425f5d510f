"""Retrying from the screen: what was sent is looked for, told, and sent again or not at all."""

from __future__ import annotations

from typing import Any

import msgspec
from celtop.model.observations import OperationChanged
from celtop.model.operations.call import Call, RawMessage, Recovered, SentTask, Unrecoverable
from celtop.model.operations.commands import Retry
from celtop.model.operations.outcome import Outcome, PublishedTask
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.fake_session import NOW, feed, task_events
from celtop.tests.tui.operation_app import DONE, WAITING, opened
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.forms.base import FormDialog
from celtop.tui.dialogs.forms.send import TriggerForm
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.text import TextDialog
from celtop.tui.dialogs.waiting import WaitingDialog
from celtop.tui.navigation import DrillDown, Location


def original(id_: str, source: Any = "worker", links: bool | None = None) -> SentTask:
    call = Call("images.resize", (5, "item-5"), {"size": [640, 480]}, queue="celery")
    message = None
    if links is not None:
        chain = [{"task": "mail.send"}] if links else None
        body = msgspec.json.encode([call.args, call.kwargs, {"chain": chain, "callbacks": None}])
        message = RawMessage(body, "application/json", "utf-8", {"id": id_})
    return SentTask(id_, call, source, NOW, message, missing=("callbacks",))


def without_queue(id_: str) -> SentTask:
    found = original(id_, "event")
    return msgspec.structs.replace(found, call=msgspec.structs.replace(found.call, queue=None))


async def looking(on: AppUnderTest, *keys: str) -> None:
    await on.to(DONE)
    await on.press(*keys)
    await on.until(lambda: isinstance(on.app.screen, WaitingDialog))


async def test_what_was_sent_is_looked_for_asked_for_and_sent() -> None:
    async with opened() as on:
        await looking(on, "R")
        assert on.session.asked == [(DONE,)]
        on.session.recovering.set_result((original(DONE),))
        dialog = await on.asked()
        told = dialog.confirmation.effects + dialog.confirmation.caveats
        assert any("the worker that received it" in line for line in told)
        assert any("not sent: callbacks" in line for line in told)
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Retry)
        assert command.originals == (original(DONE),) and not command.with_links


async def test_of_several_tasks_those_are_left_out_that_are_retried_anyway() -> None:
    async with opened() as on:
        feed(on.session.state, task_events(40, "images.resize", at=NOW - 5, end="retried"))
        feed(on.session.state, task_events(41, "images.resize", at=NOW - 5, end="failed"))
        retried, failed = (f"{n:08x}-0000-4000-8000-{n:012x}" for n in (40, 41))
        await on.until(lambda: {retried, failed} <= {task.id for task in on.table.rows})
        await on.to(retried)
        await on.press("space")
        await looking(on, "space", "R")
        assert on.session.asked == [(DONE,)]
        on.session.recovering.set_result((original(DONE),))
        dialog = await on.asked()
        assert "waiting to be retried by its worker" in on.text, dialog


async def test_escape_leaves_the_search_and_keys_meanwhile_do_nothing() -> None:
    async with opened() as on:
        await looking(on, "R")
        await on.press("y", "X", "enter", "j")
        assert isinstance(on.app.screen, WaitingDialog)
        await on.press("escape")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert not on.session.recovering.cancelled()
        on.session.recovering.set_result((original(DONE),))
        await on.pilot.pause(0.1)
        assert on.app.monitor_screen is not None
        assert on.session.done == []
        assert on.table.cursor_id == DONE


async def test_closing_a_dialog_twice_does_not_close_the_screen_below() -> None:
    async with opened() as on:
        await looking(on, "R")
        dialog = on.app.screen
        assert isinstance(dialog, WaitingDialog)
        dialog.dismiss(None)
        dialog.dismiss(True)
        await on.pilot.pause(0.1)
        assert on.app.monitor_screen is not None
        assert on.table.cursor_id == DONE


async def test_the_error_of_a_search_is_shown() -> None:
    async with opened() as on:
        await looking(on, "R")
        on.session.recovering.set_exception(OSError("connection reset \x1b[31m"))
        await on.until(lambda: on.said)
        assert on.said == ["Looking for the original message failed: connection reset \\x1b[31m"]
        assert on.session.done == []


async def test_what_cannot_be_recovered_is_refused_with_the_reason() -> None:
    async with opened() as on:
        await looking(on, "R")
        reason = "the arguments were cut in its event [/] \x1b[2J"
        on.session.recovering.set_result((Unrecoverable(DONE, reason),))
        await on.until(lambda: isinstance(on.app.screen, TextDialog))
        await on.pilot.pause(0.05)
        assert "cut in its event [/] \\x1b[2J" in on.text
        assert "Nothing was sent. Press E to edit" in on.text
        await on.press("enter")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.session.done == []


async def test_of_several_the_unrecoverable_ones_are_left_out_and_listed() -> None:
    async with opened() as on:
        for id_ in (DONE, *WAITING):
            await on.to(id_)
            await on.press("space")
        await on.press("R")
        await on.until(lambda: isinstance(on.app.screen, WaitingDialog))
        (ids,) = on.session.asked
        assert set(ids) == {DONE, *WAITING}
        found: list[Recovered] = [original(id_) for id_ in ids[:3]]
        found += [Unrecoverable(id_, "cut") for id_ in ids[3:]]
        on.session.recovering.set_result(tuple(found))
        dialog = await on.asked()
        assert dialog.confirmation.title == "Retry 3 tasks"
        assert dialog.notes == ("2 tasks: cut",)
        await on.press("y")
        await on.until(lambda: on.session.done)
        assert on.session.done[0].originals == tuple(found[:3])  # type: ignore[attr-defined]


async def test_what_follows_a_task_goes_along_only_if_that_is_chosen() -> None:
    for keys, with_links in ((("enter",), False), (("down", "enter"), True)):
        async with opened() as on:
            on.session.recovering.set_result((original(DONE, "queue", links=True),))
            await on.to(DONE)
            await on.press("R")
            await on.until(lambda: isinstance(on.app.screen, Menu))
            await on.press(*keys)
            await on.asked()
            await on.press("y")
            await on.until(lambda: on.session.done)
            assert on.session.done[0].with_links is with_links  # type: ignore[attr-defined]


async def test_what_nothing_follows_is_not_asked_about() -> None:
    async with opened() as on:
        on.session.recovering.set_result((original(DONE, "queue", links=False),))
        await on.to(DONE)
        await on.press("R")
        await on.until(lambda: isinstance(on.app.screen, ConfirmDialog))


async def test_an_unknown_queue_is_asked_for() -> None:
    async with opened() as on:
        on.session.recovering.set_result((without_queue(DONE),))
        await on.to(DONE)
        await on.press("R")
        await on.until(lambda: isinstance(on.app.screen, FormDialog))
        assert "queue of 1 task: images.resize" in on.text
        await on.press("enter")
        assert isinstance(on.app.screen, FormDialog), "an empty name"
        await on.press(*"bills")
        await on.press("enter")
        dialog = await on.asked()
        assert any("To queue bills" in line for line in dialog.confirmation.effects)
        await on.press("y")
        await on.until(lambda: on.session.done)
        (sent,) = on.session.done[0].originals  # type: ignore[attr-defined]
        assert sent.call.queue == "bills"


async def test_edit_opens_the_form_with_what_was_sent() -> None:
    async with opened() as on:
        on.session.recovering.set_result((original(DONE),))
        await on.to(DONE)
        await on.press("E")
        await on.until(lambda: isinstance(on.app.screen, TriggerForm))
        await on.until(lambda: "images.resize" in on.text and "item-5" in on.text)
        await on.press("escape")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.session.done == []


# What the page of a task shows


async def field(on: AppUnderTest, label: str) -> str:
    await on.until(lambda: f"{label}  " in on.text)
    fields = on.app.screen.query_one("#fields")
    value: str = next(one.value for one in fields.fields if one.label == label)  # type: ignore[attr-defined]
    return value


async def test_the_page_shows_what_a_retry_would_find() -> None:
    async with opened() as on:
        feed(on.session.state, task_events(800, "mail.send", uuid="runs", end=None))
        on.session.originals["runs"] = original("runs")
        feed(on.session.state, task_events(801, "mail.send", uuid="cut"))
        on.session.recovered["cut"] = Unrecoverable("cut", "Celery shortened the text")
        feed(on.session.state, task_events(802, "mail.send", uuid="stored"))
        on.session.recovered["stored"] = original("stored", "backend")
        feed(on.session.state, task_events(803, "mail.send", uuid="placed"))
        placed = msgspec.structs.replace(original("placed"), queue_reason="the app's routes")
        on.session.recovered["placed"] = placed
        feed(on.session.state, task_events(804, "mail.send", uuid="unplaced"))
        on.session.recovered["unplaced"] = without_queue("unplaced")
        for id_, begins in (
            ("runs", "possible, with the arguments from the worker"),
            ("cut", "not possible: Celery shortened the text; E edits"),
            ("stored", "possible, with the arguments from the result backend"),
            ("placed", "possible, with the arguments from the worker that received it; queue cel"),
            ("unplaced", "possible, with the arguments from its event; R asks for the queue"),
        ):
            on.app.go(Location("tasks", (DrillDown("task", id_),)))
            await on.pilot.pause(0.1)
            await on.until(lambda: "Retry" in on.text)
            on.app.frame_loop.paint()
            await on.pilot.pause(0.1)
            on.app.frame_loop.paint()
            await on.pilot.pause(0.1)
            assert (await field(on, "Retry")).startswith(begins)
        assert on.session.asked == []


async def test_a_retry_and_its_original_lead_to_each_other() -> None:
    async with opened() as on:
        new = "99999999-0000-4000-8000-999999999999"
        sent = PublishedTask(
            new, "images.resize", "celery", NOW, retry_of=DONE, args="(5,)", kwargs="{}"
        )
        outcome = Outcome(1, Retry(originals=(original(DONE),)), NOW, NOW, sent=(sent,))
        on.session.waiting.append(OperationChanged(outcome, NOW))
        await on.until(lambda: new in on.session.state.tasks)
        on.app.go(Location("tasks", (DrillDown("task", new),)))
        await on.until(lambda: "Retry of" in on.text)
        assert await field(on, "Retry of") == DONE
        related = on.app.screen.related.table  # type: ignore[attr-defined]
        await on.until(lambda: len(related.rows) == 1)
        on.app.screen.set_focus(related)
        await on.press("enter")
        await on.until(lambda: on.app.location.path[-1].subject == DONE)
        await on.until(lambda: "Retried as" in on.text)
        assert await field(on, "Retried as") == new


async def test_a_task_is_shown_as_being_revoked_until_its_worker_confirms() -> None:
    from celtop.model.operations.commands import Revoke
    from celtop.model.operations.outcome import Answer
    from celtop.model.wire.events import Event

    async with opened(size=(200, 36)) as on:
        command = Revoke(ids=(WAITING[0],), workers=("celery@web-1",))
        confirmed = {WAITING[0]: Answer("confirmed")}
        outcome = Outcome(1, command, NOW, NOW, targets=confirmed)
        on.session.waiting.append(OperationChanged(outcome, NOW))
        await on.until(lambda: "revoke requested" in on.text)
        line = next(line for line in on.text.splitlines() if "revoke requested" in line)
        assert "⊘ revoking " in line
        assert WAITING[0][:8] in line
        revoked = Event("task-revoked", "celery@web-1", NOW, uuid=WAITING[0], terminated=False)
        feed(on.session.state, [revoked])
        on.app.repaint()
        await on.until(lambda: "revoke requested" not in on.text)
        assert "REVOKED" in on.text
