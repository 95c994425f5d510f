"""The messages of a queue are listed in order, page by page, and can be deleted one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager

from celtop.model.entities.fault import Fault
from celtop.model.observations import QuestionsFailed, QueuePeeked, WaitingMessage
from celtop.model.operations.commands import Purge, ReadMessages
from celtop.tests.tui.app_under_test import AppUnderTest, make_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.why import WhyDialog
from celtop.tui.navigation import DrillDown, Location
from celtop.tui.pages.messages import PAGE
from celtop.tui.screens.here import here

PLACE = Location("queues", (DrillDown("messages", "celery"),))


def page(first: int, number: int, *, complete: bool = False) -> QueuePeeked:
    messages = tuple(
        WaitingMessage(
            f"m{index}",
            ("mail.send", "geo.tile")[index % 5 == 0],
            "celery",
            args=f"({index},)",
            before=index,
            sender="gen7@web-1",
            content_type="application/json",
        )
        for index in range(first, first + number)
    )
    return QueuePeeked(
        "celery", messages, NOW, complete, read=first + number, skipped=first, is_listing=True
    )


@asynccontextmanager
async def opened(family: str = "redis") -> AsyncIterator[tuple[AppUnderTest, list[int]]]:
    state = cluster(40)
    state.broker.transport = {"redis": "redis", "amqp": "pyamqp"}[family]
    app, session = make_app(state)
    skipped: list[int] = []

    def peek(
        queue: str | None, limit: int, task: str | None = None, skip: int = 0
    ) -> Future[QueuePeeked]:
        skipped.append(skip)
        found: Future[QueuePeeked] = Future()
        seen = page(skip, PAGE if not skip else 20, complete=bool(skip))
        state.observe(seen)
        found.set_result(seen)
        return found

    setattr(session, "peek", peek)  # noqa: B010
    async with app.run_test(size=(160, 36)) as pilot:
        await pilot.pause()
        on = AppUnderTest(app, session, pilot)
        app.go(PLACE)
        await on.until(lambda: app.location == PLACE and app.table is not None)
        yield on, skipped


def ids(on: AppUnderTest) -> list[str]:
    return [row.id for row in on.table.rows]


async def test_pages_are_read_as_one_scrolls() -> None:
    async with opened() as (on, skipped):
        await on.until(lambda: len(ids(on)) == PAGE)
        assert ids(on)[:3] == ["m0", "m1", "m2"]
        on.app.frame_loop.paint()
        await on.pilot.pause()
        assert "mail.send 400, geo.tile 100" in on.text
        await on.press("G")
        await on.until(lambda: len(ids(on)) == PAGE + 20)
        assert skipped == [0, PAGE]
        await on.press("G", "G")
        assert skipped == [0, PAGE], "there are no more"


async def test_marked_messages_are_deleted() -> None:
    async with opened() as (on, _):
        await on.until(lambda: len(ids(on)) == PAGE)
        on.app.frame_loop.paint()  # a key acts on a row that was visible when it was typed
        await on.press("space", "j", "space", "D")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (operation,) = on.session.done
        assert isinstance(operation, Purge) and operation.queue == "celery"
        assert operation.ids is not None and len(operation.ids) == 2


async def test_a_message_opens_its_task_and_is_explained() -> None:
    async with opened() as (on, _):
        await on.until(lambda: len(ids(on)) == PAGE)
        await on.press("i")
        await on.until(lambda: isinstance(on.app.screen, WhyDialog) and "m0" in on.text)
        assert "esc closes" in on.text
        await on.press("escape")
        await on.press("enter")
        await on.until(lambda: on.app.location.path[-1] == DrillDown("task", "m0", "m0"))


async def test_without_the_management_api_of_rabbitmq_reading_is_not_offered() -> None:
    async with opened("amqp") as (on, _):
        fault = Fault("refused", "the management API refused the connection", "Enable it")
        on.session.state.observe(QuestionsFailed("cluster", ("management",), NOW, fault))
        on.app.repaint()
        await on.until(lambda: "The messages cannot be read: the management API refused" in on.text)
        assert "queue.look" not in [id_ for id_, _ in here(on.screen).selection]
        await on.press("v")
        await on.until(lambda: any("Enable it" in text for text in on.said))
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        menu = on.app.screen
        assert isinstance(menu, Menu) and "queue.look" in menu.disabled_ids
        assert ("queue.look", str(fault)) in [(id_, hint) for id_, _, hint in menu.choices]


async def test_on_rabbitmq_reading_is_asked_for() -> None:
    async with opened("amqp") as (on, skipped):
        assert "queue.look" in [id_ for id_, _ in here(on.screen).selection]
        await on.until(lambda: "Press v to read messages" in on.text)
        assert "celery  ?" in on.text
        assert skipped == []
        await on.press("v")
        dialog = await on.asked()
        assert any("redelivered" in line for line in dialog.confirmation.effects)
        await on.press("y")
        await on.until(lambda: on.session.done)
        assert on.session.done == [ReadMessages(queue="celery", count=50)]
