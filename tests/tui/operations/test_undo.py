"""Undoing what lasts, from a key to the session."""

from __future__ import annotations

from typing import cast

import msgspec
from celtop.cluster.session import RunningOperation
from celtop.model.entities.worker import Limits
from celtop.model.observations import OperationChanged
from celtop.model.operations.commands import Consumer, Drain, PauseQueue, RateLimit, ResumeQueue
from celtop.model.operations.inverse import inverse
from celtop.model.operations.kept_change import KeptChange
from celtop.model.operations.outcome import Answer, Outcome
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.dialogs.menu import Menu
from celtop.tui.navigation import DrillDown, Location

WORKER = "celery@web-1"
PAUSE = PauseQueue(queue="celery", consumers=(Consumer(WORKER),))


def limit(ui: AppUnderTest, number: int, rate: str) -> RateLimit:
    """Let a rate limit be confirmed."""
    operation, state = RateLimit(workers=(WORKER,), task="mail.send", rate=rate), ui.session.state
    earlier = [outcome.inverse for outcome in state.operations.values()]
    begun = Outcome(number, operation, NOW, inverse=inverse(operation, state.workers, earlier))
    state.observe(OperationChanged(begun, NOW))
    answers = {WORKER: Answer("confirmed")}
    done = msgspec.structs.replace(begun, ended_at=NOW, workers=answers, targets=answers)
    state.observe(OperationChanged(done, NOW))
    return operation


async def test_a_paused_queue_has_a_badge_and_is_resumed_after_a_question() -> None:
    async with run_app(cluster(), Location("queues")) as ui:
        ui.session.held["celery"] = PAUSE
        ui.app.context._paused_queues = None
        ui.app.frame_loop.paint()
        assert "celery paused" in ui.screen.header_bar.text
        await ui.press("u")
        assert (await ui.asked()).confirmation.title == "Resume queue celery"
        assert not ui.session.done
        await ui.press("y")
        assert ui.session.done == [ResumeQueue(queue="celery", consumers=PAUSE.consumers)]


async def test_a_limit_is_undone_and_the_undoing_is_not_offered_to_be_undone() -> None:
    async with run_app(cluster()) as ui:
        limit(ui, 1, "10/m")
        await ui.press("u", "y")
        await ui.until(lambda: ui.session.done)
        assert ui.session.done == [RateLimit(workers=(WORKER,), task="mail.send", rate="0")]
        limit(ui, 2, "0")
        assert ui.app.context.lasting == []
        await ui.press("u")
        assert ui.said[-1].startswith("Nothing to undo")


async def test_a_limit_of_an_earlier_session_has_a_badge_and_is_undone() -> None:
    async with run_app(cluster()) as ui:
        before, now = (RateLimit(workers=(WORKER,), task="mail.send", rate=r) for r in ("0", "7/m"))
        ui.session.kept = [KeptChange(now, (before,), NOW - 3600)]
        ui.app.context.read_lasting()
        ui.app.frame_loop.paint()
        assert "mail.send limited" not in ui.screen.header_bar.text, "the worker has no limit"
        ui.session.state.workers[WORKER].limits = {"mail.send": Limits(rate="7/m")}
        ui.app.frame_loop.paint()
        assert "mail.send limited" in ui.screen.header_bar.text
        await ui.press("u", "y")
        await ui.until(lambda: ui.session.done)
        assert ui.session.done == [before]


async def test_of_several_changes_the_latest_is_offered_first() -> None:
    async with run_app(cluster()) as ui:
        ui.session.held["celery"] = PAUSE
        ui.app.context._paused_queues = None
        limit(ui, 1, "10/m")
        await ui.press("u")
        menu = await ui.dialog(Menu)
        assert [text for _, text, _ in menu.choices] == [
            "mail.send limited to 10/m",
            "celery paused",
        ]


async def test_a_pause_that_is_still_running_can_be_undone_when_it_has_finished() -> None:
    async with run_app(cluster()) as ui:
        ui.app.context.operations.begin(cast(RunningOperation, ui.session.do(PAUSE)))
        await ui.press("u")
        assert ui.said == ["celery is still being paused: press u when that has finished"]
        ui.session.held["celery"] = PAUSE
        ui.session.operations[0].end()
        await ui.until(lambda: not ui.app.context.operations.running)
        await ui.press("u")
        assert (await ui.asked()).confirmation.title == "Resume queue celery"


async def test_a_drain_is_undone_as_a_whole_by_cancelling_it() -> None:
    async with run_app(cluster(), Location("queues")) as ui:
        drain = Drain(workers=(WORKER,))
        ui.app.context.operations.begin(cast(RunningOperation, ui.session.do(drain)))
        running = ui.session.operations[0]
        ui.session.state.observe(OperationChanged(running.outcome, NOW))
        ui.session.held["celery"] = PAUSE
        ui.app.context._paused_queues = None
        assert [change.text for change in ui.app.context.lasting] == [f"{WORKER} draining"]
        for page in (Location("workers"), Location("workers", (DrillDown("worker", WORKER),))):
            ui.app.go(page)
            await ui.until(lambda: ui.app.location == page and "◐ draining" in ui.text)  # noqa: B023
        ui.app.go(Location("queues"))
        await ui.until(lambda: ui.app.location == Location("queues") and ui.screen.ready)
        await ui.press("u")
        asked = (await ui.asked()).confirmation
        assert (asked.title, asked.verb) == (f"Undo draining {WORKER}", "Undo")
        await ui.press("y")
        await ui.until(lambda: running.cancelled)
        assert ui.session.done == [drain]


async def test_a_drain_that_ends_meanwhile_can_no_longer_be_undone() -> None:
    async with run_app(cluster()) as ui:
        drain = Drain(workers=(WORKER,))
        ui.app.context.operations.begin(cast(RunningOperation, ui.session.do(drain)))
        running = ui.session.operations[0]
        ui.session.state.observe(OperationChanged(running.outcome, NOW))
        await ui.press("u")
        dialog = await ui.asked()
        running.end(workers={WORKER: Answer("confirmed")})
        await ui.until(lambda: not dialog.confirmed)
        await ui.press("y", "escape")
        assert not running.cancelled
